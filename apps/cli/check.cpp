// vaeguard check MODEL: what was understood of a model, and whether it does what attacks and defences need.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "apps/cli/check_images.h"
#include "apps/cli/pair_options.h"
#include "apps/cli/verbs.h"
#include "vaeguard/attacks/registry.h"
#include "vaeguard/base/error.h"
#include "vaeguard/models/prior_design.h"
#include "vaeguard/runs/model_check.h"
#include "vaeguard/runs/model_file.h"

namespace vaeguard::cli {
namespace {

constexpr std::string_view kPlace = "vaeguard check";
constexpr std::size_t kFirstColumn = 16;
constexpr std::size_t kWidth = 110;

struct CheckVerb {
  std::string model;
  WrittenPair pair;
  std::string images;
  std::string array;
  bool likelihood_given = false;
  std::vector<std::string> pair_options;  // those of `pair` that were given
};

// A word, and text whose further lines stand below its first.
void line(std::string_view word, const std::string& text) {
  std::string row = fmt::format("{:<{}}", word, kFirstColumn);
  std::size_t column = kFirstColumn;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string next = text.substr(at, end - at);
    if (column > kFirstColumn && column + 1 + next.size() > kWidth) {
      row += "\n" + std::string(kFirstColumn, ' ');
      column = kFirstColumn;
    }
    const bool first = column == kFirstColumn;
    row += (first ? "" : " ") + next;
    column += next.size() + (first ? 0 : 1);
    at = end + 1;
  }
  fmt::print("{}\n", row);
}

template <typename Counts>
std::string counted(const Counts& counts) {
  std::vector<std::string> parts;
  for (const auto& [name, count] : counts) {
    parts.push_back(fmt::format("{} {}", name, count));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// What a half is made of.
struct HalfSize {
  std::int64_t parameters;
  std::int64_t multiply_adds;
  std::map<std::string, std::int64_t> operations;
};

HalfSize size_of(const networks::LayerGraph& graph) {
  HalfSize size{static_cast<std::int64_t>(graph.parameters.size()), networks::multiply_adds(graph), {}};
  for (const networks::Layer& layer : graph.layers) {
    ++size.operations[std::string(name(layer.operation))];
    if (layer.activation != networks::Activation::none) {
      ++size.operations[std::string(name(layer.activation))];
    }
  }
  return size;
}

HalfSize size_of(const plugins::ModuleHalf& half) { return {half.parameters, half.multiply_adds, half.operations}; }

// The backend that runs it, and why none that stands before it.
std::string backend_of(const networks::LayerGraph& graph, const std::string& asked) {
  const networks::Backend& chosen = networks::select_backend(asked, graph);
  std::string text(chosen.name());
  if (&chosen == networks::backends().front()) {
    return text;
  }
  if (asked != "auto") {
    return text + ", as was asked for";
  }
  for (const networks::Backend* better : networks::backends()) {
    if (better == &chosen) {
      break;
    }
    const std::string reason = better->unsupported(graph);
    text += fmt::format("; not {}: {}", better->name(), reason.empty() ? "VAEGUARD_BACKEND names another" : reason);
  }
  return text;
}

void half_lines(std::string_view word, const HalfSize& size, const std::string& backend) {
  line(word,
       fmt::format("{} parameters, {} multiply-adds an image, by {}", size.parameters, size.multiply_adds, backend));
  line("", counted(size.operations));
}

std::string latents_of(const models::LatentLayout& latents) {
  std::vector<std::string> groups;
  for (const models::LatentGroup& group : latents.groups) {
    groups.push_back(fmt::format("{} {}", group.name, importers::text_of(group.shape)));
  }
  return fmt::format("{} in {} group{}: {}", latents.size(), latents.count(), latents.count() == 1 ? "" : "s",
                     fmt::join(groups, ", "));
}

// What was made of files from outside; the lines without a word are on sizes, which are here already.
void understood(const runs::StoredModel& model) {
  std::string_view word = "understood";
  for (const auto& [what, text] : model.summary) {
    if (!what.empty()) {
      line(word, what + ": " + text);
      word = "";
    }
  }
}

void describe(const CheckVerb& verb, const runs::StoredModel& model, const models::Vae& vae, const Common& common) {
  line("model", fmt::format("{}, made of {}", verb.model,
                            model.layers() == nullptr ? "TorchScript modules, which run as they are"
                                                      : "layers (" + model.layers()->architecture + ")"));
  line("image", importers::text_of(vae.image()));
  line("latents", latents_of(vae.latents()));
  line("likelihood", models::describe(vae.likelihood()));
  line("prior", models::describe(model.prior()));
  if (const models::VaeWeights* weights = model.layers()) {
    half_lines("encoder", size_of(weights->encoder), backend_of(weights->encoder, common.backend));
    half_lines("decoder", size_of(weights->decoder), backend_of(weights->decoder, common.backend));
  } else {
    const plugins::ModulePair& pair = model.modules()->pair;
    const auto backend = [](const plugins::ModuleHalf& half) {
      const auto tangents = half.function->tangent_backend();
      return fmt::format("{}{}", half.function->backend(),
                         tangents == half.function->backend() ? "" : fmt::format(", tangents by {}", tangents));
    };
    half_lines("encoder", size_of(pair.encoder), backend(pair.encoder));
    half_lines("decoder", size_of(pair.decoder), backend(pair.decoder));
  }
  understood(model);
}

void companions(const runs::StoredModel& model, const models::Vae& vae) {
  std::vector<std::string_view> goals;
  for (const attacks::GoalEntry& goal : attacks::goals()) {
    if (goal.needs_classifier) {
      goals.push_back(goal.name);
    }
  }
  line("classifier", model.classifier
                         ? fmt::format("{} classes", model.classifier->classes())
                         : fmt::format("none: agreement is not measured, and the attack goals {} cannot be "
                                       "used",
                                       fmt::join(goals, ", ")));
  line("pixel law", vae.pixel_law() != nullptr ? "counted" : "none");
}

void defence_lines(const models::Vae& vae, const Matrix& image, int threads) {
  std::vector<std::string_view> ready;
  std::map<std::string, std::vector<std::string_view>> missing;  // by what is
  for (const runs::DefenceNeed& need : runs::defence_needs(vae, image, threads)) {
    (need.missing.empty() ? ready : missing[need.missing]).push_back(need.defence);
  }
  line("defences", fmt::format("ready: {}", fmt::join(ready, ", ")));
  for (const auto& [what, defences] : missing) {
    line("", fmt::format("not {}: {}", fmt::join(defences, ", "), what));
  }
}

bool is_module(const std::string& file) {
  const std::string extension = std::filesystem::path(file).extension().string();
  return extension == ".pt" || extension == ".pth" || extension == ".ts";
}

runs::StoredModel read(const CheckVerb& verb) {
  if (!is_module(verb.model)) {
    if (!verb.pair_options.empty()) {
      misuse(kPlace, "only a TorchScript module (.pt) needs {}; {} says them itself",
             fmt::join(verb.pair_options, ", "), verb.model);
    }
    return runs::load_model(verb.model);
  }
  if (!verb.likelihood_given) {
    misuse(kPlace, "a module does not say its likelihood: add --likelihood, and --image, such as 1x28x28");
  }
  return runs::load_model(
      plans::PairPlan{.encoder = verb.model, .decoder = verb.model, .options = import_options(verb.pair, kPlace)});
}

void check(const CheckVerb& verb, const Common& common) {
  const runs::StoredModel model = read(verb);
  const models::Vae vae = model.compile(common.backend, common.gradient_precision());
  const int threads = common.thread_count();
  describe(verb, model, vae, common);
  const bool pictures = !verb.images.empty();
  const Matrix images =
      pictures ? images_to_check(verb.images, verb.array, vae.image()) : runs::drawn_images(vae, 16, threads);
  fmt::print("\n");
  std::vector<std::string_view> wrong;
  for (const runs::Finding& finding : runs::check_model(vae, images, pictures, threads)) {
    line(finding.word, finding.text);
    if (finding.wrong) {
      wrong.push_back(finding.word);
    }
  }
  fmt::print("\n");
  companions(model, vae);
  defence_lines(vae, images.slice(0, 1), threads);
  if (!model.classifier || vae.pixel_law() == nullptr) {
    line("",
         model.layers() != nullptr
             ? fmt::format("`vaeguard train --vae-from {} --dataset DATASET --out FILE` adds classifier and pixel law",
                           verb.model)
             : "classifier and pixel law are for models made of layers: export this one as ONNX for them");
  }
  if (!wrong.empty()) {
    failure(kPlace, "{} is not as it should be: {}", verb.model, fmt::join(wrong, ", "));
  }
  fmt::print("\nall right\n");
}

}  // namespace

void add_check(CLI::App& program, Common& common) {
  auto* app = program.add_subcommand(
      "check", "Say what was understood of a model, try its gradients, and list what defences miss");
  auto verb = std::make_shared<CheckVerb>();
  app->add_option("model", verb->model,
                  "A checkpoint (safetensors), a TOML file that describes a pair, or a TorchScript module with the "
                  "methods encode and decode (.pt)")
      ->required();
  app->add_option("--images", verb->images,
                  "Pictures to try it on: .npz with pixels from 0 to 1, or a folder of PNG and JPEG files (default: "
                  "what the model draws)");
  app->add_option("--array", verb->array, "Name of the array in that .npz (default: x_ref, or the only one)");
  const std::size_t own = app->get_options().size();
  auto* likelihood = add_pair_options(*app, verb->pair, "of a TorchScript module");
  app->footer(
      "Examples: vaeguard check zoo/mnist_vae.safetensors\n"
      "          vaeguard check model.toml --images photos\n"
      "          vaeguard check vae.pt --likelihood gaussian --image 3x64x64\n"
      "Exit status 0: all right; 1: something is wrong with the model; 2: it cannot be read.");
  app->callback([app, own, verb, likelihood, &common] {
    verb->likelihood_given = likelihood->count() > 0;
    const std::vector<CLI::Option*> options = app->get_options();
    for (const CLI::Option* option : std::span(options).subspan(own)) {
      if (option->count() > 0) {
        verb->pair_options.push_back(option->get_name());
      }
    }
    check(*verb, common);
  });
}

}  // namespace vaeguard::cli
