// vaeguard doctor: what this machine and build have, what is missing, and the command that gets it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "apps/cli/machine.h"
#include "apps/cli/verbs.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/data/data_folder.h"
#include "vaeguard/data/registry.h"
#include "vaeguard/models/conv_vae.h"
#include "vaeguard/networks/network.h"
#include "vaeguard/plugins/torch_plugin.h"
#include "vaeguard/runs/environment.h"

namespace vaeguard::cli {
namespace {

void line(std::string_view name, std::string_view text) { fmt::print("{:<20} {}\n", name, text); }

// What --backend auto means here and now.
std::string backend_choice() {
  const char* variable = std::getenv("VAEGUARD_BACKEND");
  if (variable != nullptr && *variable != '\0') {
    return fmt::format("{} (VAEGUARD_BACKEND); --backend chooses another", variable);
  }
  return "the first of these that supports the model; --backend or VAEGUARD_BACKEND chooses another";
}

// For the paper's decoder.
std::string describe_precision(const Common& common) {
  const auto decoder = models::conv_vae({1, 28, 28}, {}, Key(1)).decoder;
  const auto& backend = networks::select_backend(common.backend, decoder);
  const std::string refusal = backend.unsupported(decoder, networks::Precision::bfloat16);
  const bool asked = common.precision == "mixed";
  if (!refusal.empty()) {
    return fmt::format("fp32; mixed is not possible{}: {}", asked ? ", though asked for" : "", refusal);
  }
  return asked ? "mixed: leapfrog gradients in bfloat16, energies in fp32"
               : "fp32; mixed is possible: --precision mixed";
}

// Loads it, to be told.
std::string libtorch() {
  try {
    return plugins::torch_plugin().backend("torch").description();
  } catch (const Misuse& missing) {
    return missing.what();
  }
}

void doctor(const Common& common) {
  const std::string torch = libtorch();  // its backends are present from now on, where there is one
  for (const auto& [name, value] : runs::environment()) {
    line(name, value);
  }
  line("backend choice", backend_choice());
  line("threads", std::to_string(common.thread_count()));
  line("precision", describe_precision(common));
  line("instruction sets", instruction_sets());
  line("libtorch", torch);
  if (std::ranges::none_of(networks::backends(), [](const auto* backend) { return backend->name() == "onednn"; })) {
    line("onednn",
         "not in this build: the onednn backend is missing; install libdnnl-dev ocl-icd-opencl-dev, build again");
  }
  const auto folder = data::data_folder(common.data);
  std::map<std::string, std::string> seen;
  for (const data::DatasetEntry& entry : data::datasets()) {
    const std::string name(entry.name);
    const auto [first, is_first] = seen.emplace(entry.folder, name);
    if (!is_first) {
      line("data set " + name, "made of " + first->second);
      continue;
    }
    try {
      const auto dataset = data::load_dataset(name, folder);
      line("data set " + name, fmt::format("ready: {} + {} + {} images", dataset.train.labels.size(),
                                           dataset.validation.labels.size(), dataset.test.labels.size()));
    } catch (const Misuse& error) {
      line("data set " + name, error.what());
    }
  }
  const auto assets = cache_folder("VAEGUARD_ASSETS", "assets");
  line("chart library", exists(assets / "vega.min.js")
                            ? "ready: " + assets.string()
                            : "missing, reports have no charts; get it with: tools/get-data");
}

}  // namespace

void add_doctor(CLI::App& program, Common& common) {
  auto* app = program.add_subcommand("doctor", "Show what this machine and build have, and how to get what is missing");
  app->footer("Example: vaeguard doctor");
  app->callback([&common] { doctor(common); });
}

}  // namespace vaeguard::cli
