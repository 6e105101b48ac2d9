// vaeguard export CHECKPOINT: TorchScript files for Python users.
#include <fmt/format.h>

#include "apps/cli/verbs.h"
#include "vaeguard/plugins/torch_plugin.h"
#include "vaeguard/runs/model_file.h"

namespace vaeguard::cli {

void add_export(CLI::App& program, Common& /*common*/) {
  auto* app = program.add_subcommand("export", "Write a checkpoint as TorchScript encoder.pt and decoder.pt");
  auto checkpoint = std::make_shared<std::string>();
  auto out = std::make_shared<std::string>("exported");
  app->add_option("checkpoint", *checkpoint, "Model (safetensors, or a TOML file that describes one of layers)")
      ->required();
  app->add_option("--out", *out, "Folder to write")->capture_default_str();
  app->footer(
      "Example: vaeguard export zoo/mnist_vae.safetensors --out exported\n"
      "encoder.pt: image [B, C, H, W] -> (mean, log-variance) [B, D]\n"
      "decoder.pt: latent [B, D] -> likelihood parameters [B, C, H, W], logits for Bernoulli");
  app->callback([checkpoint, out] {
    const models::VaeWeights vae = runs::load_layers(*checkpoint, "export").vae;
    plugins::torch_plugin().export_torchscript(vae, *out);
    fmt::print("{0}/encoder.pt\n{0}/decoder.pt\n", *out);
    if (!vae.prior.couplings.empty()) {
      fmt::print("not exported: the prior, {}; the decoder takes its draws\n", models::describe(vae.prior));
    }
  });
}

}  // namespace vaeguard::cli
