// A library that an older build left behind.
#include "vaeguard/plugins/torch_plugin.h"

extern "C" const vaeguard::plugins::TorchPlugin* vaeguard_torch_plugin() {
  static const vaeguard::plugins::TorchPlugin plugin{.version = "0.0.1",
                                                     .backend = nullptr,
                                                     .posterior = nullptr,
                                                     .export_torchscript = nullptr,
                                                     .load_modules = nullptr,
                                                     .load_inception = nullptr};
  return &plugin;
}
