// The entry of the library that plugins/torch_plugin.h loads.
#include "vaeguard/plugins/torch_plugin.h"
#include "vaeguard/torchscript/inception.h"
#include "vaeguard/torchscript/module_pair.h"
#include "vaeguard/torchscript/torch_network.h"
#include "vaeguard/torchscript/torch_posterior.h"
#include "vaeguard/torchscript/torchscript.h"

extern "C" __attribute__((visibility("default"))) const vaeguard::plugins::TorchPlugin* vaeguard_torch_plugin() {
  using namespace vaeguard;
  static const plugins::TorchPlugin plugin{
      .version = VAEGUARD_VERSION,
      .backend = [](std::string_view name) -> const networks::Backend& {
        return name == "torch_cuda" ? networks::torch_cuda_backend() : networks::torch_backend();
      },
      .posterior = [](const models::Vae& vae, const Matrix& images,
                      std::string_view backend) -> std::unique_ptr<ScalarField> {
        return torchscript::make_torch_posterior(vae, images, backend == "torch_cuda" ? "cuda" : "cpu");
      },
      .export_torchscript = torchscript::export_torchscript,
      .load_modules = torchscript::load_modules,
      .load_inception = torchscript::load_inception};
  return &plugin;
}
