// Finds and loads the library with libtorch, and backends that stand in for its own until then.
#include "vaeguard/plugins/torch_plugin.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "vaeguard/base/error.h"
#include "vaeguard/energy/maker.h"

namespace vaeguard::plugins {
namespace {

constexpr std::string_view kPlace = "plugins.torch";
std::atomic<const TorchPlugin*> loaded = nullptr;

const TorchPlugin& load() {
  if (!has_torch_plugin()) {
    misuse(kPlace, "this build has no libtorch; install libtorch-dev and build again with -DVAEGUARD_TORCH=ON");
  }
  const char* named = std::getenv("VAEGUARD_TORCH_PLUGIN");
  const char* file = named != nullptr && *named != '\0' ? named : "libvaeguard_torch.so";
  // Local: nothing in the program may be replaced by what libtorch brings along. Never closed: libtorch cannot be.
  void* library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    misuse(kPlace, "cannot load what needs libtorch: {} (VAEGUARD_TORCH_PLUGIN may name the file)", ::dlerror());
  }
  const auto entry = reinterpret_cast<const TorchPlugin* (*)()>(::dlsym(library, kTorchPluginEntry));
  if (entry == nullptr) {
    misuse(kPlace, "{} must have the function {}: {}", file, kTorchPluginEntry, ::dlerror());
  }
  const TorchPlugin& plugin = *entry();
  if (plugin.version != VAEGUARD_VERSION) {
    misuse(kPlace, "{} must be of vaeguard {}, it is of {}", file, VAEGUARD_VERSION, plugin.version);
  }
  loaded = &plugin;
  return plugin;
}

// Has the name of one of the library's backends, and is it once a graph asks.
class LazyBackend : public networks::Backend {
 public:
  LazyBackend(std::string_view name, std::string_view description) : name_(name), description_(description) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  /// Its own, which names libtorch's version, once it is loaded: records of what used it say so.
  [[nodiscard]] std::string description() const override {
    const TorchPlugin* plugin = loaded;
    return plugin == nullptr ? std::string(description_) : plugin->backend(name_).description();
  }
  [[nodiscard]] bool present() const override {
    const TorchPlugin* plugin = loaded;
    return plugin != nullptr && plugin->backend(name_).present();
  }
  [[nodiscard]] std::string unsupported(const networks::LayerGraph& graph,
                                        networks::Precision precision) const override {
    try {
      return torch_plugin().backend(name_).unsupported(graph, precision);
    } catch (const Misuse& missing) {
      return missing.what();
    }
  }
  [[nodiscard]] std::shared_ptr<const networks::Network> compile(const networks::LayerGraph& graph,
                                                                 networks::Precision precision) const override {
    return torch_plugin().backend(name_).compile(graph, precision);
  }

 private:
  std::string_view name_;
  std::string_view description_;
};

}  // namespace

bool has_torch_plugin() {
#ifdef VAEGUARD_WITH_TORCH
  return true;
#else
  return false;
#endif
}

const TorchPlugin& torch_plugin() {
  static const TorchPlugin& plugin = load();
  return plugin;
}

void register_torch_backends() {
  static const LazyBackend torch("torch", "libtorch on the processor, loaded when it is used");
  static const LazyBackend torch_cuda("torch_cuda", "libtorch on the current GPU, loaded when it is used");
  if (!has_torch_plugin()) {
    return;
  }
  for (const LazyBackend* backend : {&torch, &torch_cuda}) {
    networks::register_backend(*backend);
    energy::register_posterior_maker(backend->name(), [backend](const models::Vae& vae, const Matrix& images) {
      return torch_plugin().posterior(vae, images, backend->name());
    });
  }
}

}  // namespace vaeguard::plugins
