// vaeguard bench: speed of whole HMC transitions and of training, checked against the reference before it is told.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/cli/verbs.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/data/synthetic.h"
#include "vaeguard/energy/posterior.h"
#include "vaeguard/mcmc/warmup.h"
#include "vaeguard/models/conv_vae.h"
#include "vaeguard/training/trainer.h"

namespace vaeguard::cli {
namespace {

using Json = nlohmann::ordered_json;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The paper's MNIST model with weights as training starts from, and images of the synthetic set.
struct BenchModel {
  models::VaeWeights weights = models::conv_vae({1, 28, 28}, {}, Key(1));
  data::Dataset dataset = data::synthetic({}, Key(3));
};

// Refuses to time a wrong answer: energies and gradients must agree with the double-precision reference.
void check_against_reference(const models::VaeWeights& weights, const energy::PosteriorEnergy& energy,
                             const Matrix& images, const Matrix& latents) {
  std::vector<double> values(static_cast<std::size_t>(latents.rows()));
  Matrix gradients;
  energy.evaluate(0, latents, values, &gradients);
  for (std::int64_t b = 0; b < std::min<std::int64_t>(latents.rows(), 4); ++b) {
    const std::vector<double> latent(latents.row(b).begin(), latents.row(b).end());
    std::vector<double> gradient;
    const double truth = energy::reference_energy(weights, images.row(b), latent, &gradient);
    double error = std::abs(values[static_cast<std::size_t>(b)] - truth) / std::abs(truth);
    for (std::size_t d = 0; d < gradient.size(); ++d) {
      error = std::max(
          error, std::abs(gradients(b, static_cast<std::int64_t>(d)) - gradient[d]) / (1.0 + std::abs(gradient[d])));
    }
    // Sums of at most 1,152 float products per unit and five layers: 1e-4 is ten times what rounding gives.
    if (!(error < 1e-4)) {
      failure("bench", "the backend disagrees with the reference by {:.3g}; no speed is told", error);
    }
  }
}

Json bench_hmc(const Common& common, double seconds) {
  const BenchModel model;
  const models::Vae vae(model.weights, common.backend);
  const mcmc::Hmc kernel({.leapfrog_steps = 20});
  Json result{
      {"backend", vae.decoder().backend()}, {"threads", common.thread_count()}, {"grads_per_second", Json::object()}};
  for (const std::int64_t batch : {1, 10, 64, 500}) {
    std::vector<std::int64_t> rows;
    std::vector<Key> keys;
    for (std::int64_t b = 0; b < batch; ++b) {
      rows.push_back(b % model.dataset.test.pixels.rows());
      keys.push_back(Key(2).fold(static_cast<std::uint64_t>(b)));
    }
    const Matrix images = model.dataset.test.pixels.gather(rows);
    const energy::PosteriorEnergy energy(vae, images);
    const Matrix latents = vae.encode(images, common.thread_count()).mean;
    check_against_reference(model.weights, energy, images, latents);
    std::vector<double> speeds;
    for (int repeat = 0; repeat < 3; ++repeat) {
      std::atomic<std::int64_t> transitions{0};
      const double start = now();
      parallel_chunks(batch, 16, common.thread_count(), [&](std::int64_t first, std::int64_t count) {
        const mcmc::Target target{energy, first};
        const auto chunk_keys =
            std::span(keys).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
        auto state = mcmc::make_state(target, latents.slice(first, count));
        const mcmc::Parameters parameters{std::vector<double>(static_cast<std::size_t>(count), 0.05),
                                          mcmc::identity_metric(count, vae.latent_size())};
        const std::int64_t chunks = (batch + 15) / 16;
        const double share = seconds / 3.0 / std::ceil(static_cast<double>(chunks) / common.thread_count());
        const double chunk_start = now();
        for (std::uint64_t t = 0; t < 2 || now() - chunk_start < share; ++t) {
          static_cast<void>(kernel.step(mcmc::step_keys(chunk_keys, t), target, parameters, state));
          transitions += count;
        }
      });
      speeds.push_back(static_cast<double>(transitions) * kernel.gradients_per_step() / (now() - start));
    }
    std::ranges::sort(speeds);
    result["grads_per_second"][std::to_string(batch)] = {
        {"median", speeds[1]}, {"least", speeds[0]}, {"most", speeds[2]}};
  }
  return result;
}

double training_speed(const Common& common, double seconds) {
  const BenchModel model;
  training::TrainerOptions options = training::training_preset("published");
  options.threads = common.thread_count();
  training::Trainer trainer(model.weights, model.dataset, options);
  trainer.step();
  const double start = now();
  std::int64_t images = 0;
  while (now() - start < seconds) {
    trainer.step();
    images += options.batch;
  }
  return static_cast<double>(images) / (now() - start);
}

// Runs the peer's script, which prints one JSON object with images_per_second.
double peer_speed(const std::string& script, int threads) {
  const std::string command = fmt::format("/usr/bin/python3 '{}' --threads {}", script, threads);
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) {
    failure("bench", "cannot run {}", command);
  }
  std::string output;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    output.append(buffer.data(), n);
  }
  const int code = pclose(pipe);
  const auto json = Json::parse(output, nullptr, false);
  if (code != 0 || json.is_discarded() || !json.contains("images_per_second")) {
    failure("bench", "the peer must print a JSON object with images_per_second; `{}` ended with {} and printed: {}",
            command, code, output);
  }
  return json["images_per_second"];
}

Json bench_train(const Common& common, double seconds, const std::string& peer) {
  Json result{
      {"batch", 128}, {"threads", common.thread_count()}, {"images_per_second", training_speed(common, seconds)}};
  if (!peer.empty()) {
    const double theirs = peer_speed(peer, common.thread_count());
    result["eager_images_per_second"] = theirs;
    result["ratio_to_eager"] = result["images_per_second"].get<double>() / theirs;
  }
  return result;
}

}  // namespace

void add_bench(CLI::App& program, Common& common) {
  auto* app = program.add_subcommand("bench", "Measure speed: hmc (whole transitions) or train (images a second)");
  auto what = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  auto seconds = std::make_shared<double>(5.0);
  auto peer = std::make_shared<std::string>();
  app->add_option("what", *what, "hmc or train")->required()->check(CLI::IsMember({"hmc", "train"}));
  app->add_flag("--json", *json, "Print one JSON object");
  app->add_option("--seconds", *seconds, "How long to measure each figure")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app->add_option("--peer", *peer, "Python script to measure beside (train only), see benchmarks/README.md");
  app->footer("Example: vaeguard bench train --peer benchmarks/peers/train_eager.py");
  app->callback([=, &common] {
    const Json result = *what == "hmc" ? bench_hmc(common, *seconds) : bench_train(common, *seconds, *peer);
    if (*json) {
      fmt::print("{}\n", result.dump(2));
      return;
    }
    for (const auto& [key, value] : result.flatten().items()) {
      fmt::print("{:<40} {}\n", key.substr(1), value.dump());
    }
  });
}

}  // namespace vaeguard::cli
