// vaeguard defend: repaired latent codes and reconstructions of the images in an .npz file.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/cli/verbs.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/npz_matrix.h"
#include "vaeguard/plans/plan.h"
#include "vaeguard/plans/toml.h"
#include "vaeguard/runs/inference_file.h"
#include "vaeguard/runs/subject.h"

namespace vaeguard::cli {
namespace {

struct DefendVerb {
  std::string checkpoint;
  std::string images;
  std::string array = "x_adv";
  std::string defence;  // no default: each may do harm on some data
  std::vector<std::string> settings;
  std::string out = "defended.npz";
};

// The preset and its changes in the form of a plan, read and checked like a plan.
plans::DefencePlan defence_plan(const DefendVerb& verb) {
  constexpr std::string_view kPlace = "vaeguard defend";
  Value options = plans::parse_settings(verb.settings, kPlace);
  options.set("preset", verb.defence);
  return plans::read_defence({options, std::string(kPlace)});
}

// Bytes from 0 to 255 would be defended without a word, and come out white.
void check_pixels(const Matrix& images, const std::string& place) {
  for (std::int64_t row = 0; row < images.rows(); ++row) {
    for (const float pixel : images.row(row)) {
      if (pixel < 0.0F || pixel > 1.0F) {
        misuse(place, "pixels must be from 0 to 1, got {} in image {}", pixel, row);
      }
    }
  }
}

void defend(const DefendVerb& verb, const Common& common) {
  const auto plan = defence_plan(verb);
  const auto model = runs::load_model(verb.checkpoint);
  const models::Vae vae = model.compile(common.backend, common.gradient_precision());
  runs::report_fallbacks(vae, common.gradient_precision(), *common.observer);
  const Matrix images = images_from(read_npz(verb.images), verb.array, vae.image(), verb.images);
  check_pixels(images, verb.images);
  std::vector<Key> keys;
  for (std::int64_t row = 0; row < images.rows(); ++row) {
    keys.push_back(Key(common.seed_or(1)).fold("defend").fold(static_cast<std::uint64_t>(row)));
  }
  const auto inference = plans::make_defence(plan)->infer(vae, images, keys, common.thread_count(), *common.observer);
  std::map<std::string, NpzArray> arrays{{"z_defended", runs::to_array(inference.mean)},
                                         {"z_defended_draw", runs::to_array(inference.draw)},
                                         {"rec_defended", images_array(inference.mean_reconstruction, vae.image())}};
  for (const auto& [name, values] :
       {std::pair("energy_drop", &inference.energy_drop), std::pair("acceptance", &inference.acceptance),
        std::pair("radius", &inference.radius), std::pair("touched", &inference.touched),
        std::pair("noise", &inference.noise), std::pair("gradients_spent", &inference.spent)}) {
    if (!values->empty()) {
      arrays.emplace(name, runs::to_array(*values));
    }
  }
  runs::add_chains(arrays, inference);
  if (!inference.reencoded.empty()) {
    arrays.emplace("z_reencoded", runs::to_array(inference.reencoded));
  }
  if (model.classifier) {
    const Matrix& codes = inference.reencoded.empty() ? inference.mean : inference.reencoded;
    arrays.emplace("class", NpzArray{{images.rows()}, model.classifier->predict(codes)});
  }
  write_npz(verb.out, arrays);
  fmt::print("{} images defended by {}, {} gradients each\n{}\n", images.rows(), verb.defence, inference.gradients,
             verb.out);
}

}  // namespace

void add_defend(CLI::App& program, Common& common) {
  auto* app = program.add_subcommand("defend", "Repair the latent codes of images, attacked or not");
  auto verb = std::make_shared<DefendVerb>();
  app->add_option("checkpoint", verb->checkpoint, "Model (safetensors, or a TOML file that describes one)")->required();
  app->add_option("images", verb->images,
                  ".npz with a float32 array of images [B, C, H, W] or [B, C*H*W], pixels from 0 to 1")
      ->required();
  app->add_option("--array", verb->array, "Name of that array")->capture_default_str();
  app->add_option("--defence", verb->defence, "Defence (see `vaeguard list`)")->required();
  app->add_option("--set", verb->settings, "An option of the defence as plans write it, such as stop_milliseconds=50")
      ->allow_extra_args(false);
  app->add_option("--out", verb->out, "Codes and reconstructions to write")->capture_default_str();
  app->footer("Example: vaeguard defend zoo/mnist_vae.safetensors attacked.npz --defence hmc --out defended.npz");
  app->callback([verb, &common] { defend(*verb, common); });
}

}  // namespace vaeguard::cli
