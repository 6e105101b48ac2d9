// The library with libtorch: loaded when it is used and not before, and a reason where it cannot be.
#include "vaeguard/plugins/torch_plugin.h"

#include <algorithm>
#include <cstdlib>

#include "tests/expect_misuse.h"
#include "vaeguard/base/file.h"
#include "vaeguard/models/conv_vae.h"

namespace vaeguard::plugins {
namespace {

using testing::HasSubstr;

/// Sets the variable that names the library for as long as it lives.
class Named {
 public:
  explicit Named(const char* file) { ::setenv("VAEGUARD_TORCH_PLUGIN", file, 1); }
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;
  ~Named() { ::unsetenv("VAEGUARD_TORCH_PLUGIN"); }
};

const networks::LayerGraph& graph() {
  static const networks::LayerGraph encoder = models::conv_vae({1, 28, 28}, {}, Key(1)).encoder;
  return encoder;
}

bool libtorch_is_loaded() { return read_file("/proc/self/maps").find("libtorch") != std::string::npos; }

// Before all others: what is loaded once stays.
TEST(TorchPlugin, IsLoadedByTheFirstGraphThatIsOfferedToOneOfItsBackends) {
  register_torch_backends();
  {
    const Named missing("/nowhere/libvaeguard_torch.so");
    expect_misuse([] { (void)torch_plugin(); }, {"plugins.torch", "/nowhere/libvaeguard_torch.so"});
    EXPECT_THAT(networks::select_backend("auto", graph()).name(), "native");
    expect_misuse([] { (void)networks::compile(graph(), "torch"); }, {"the backend torch", "/nowhere"});
  }
  {
    const Named old(PLUGIN_OF_YESTERDAY);
    expect_misuse([] { (void)torch_plugin(); }, {"must be of vaeguard", "it is of 0.0.1"});
  }
  const networks::Backend& lazy = **std::ranges::find(networks::backends(), "torch", &networks::Backend::name);
  EXPECT_THAT(lazy.description(), HasSubstr("loaded when it is used"));
  EXPECT_FALSE(lazy.present());
  EXPECT_FALSE(libtorch_is_loaded());
  EXPECT_EQ(networks::compile(graph(), "torch")->backend(), "torch");
  EXPECT_TRUE(libtorch_is_loaded());
  EXPECT_TRUE(lazy.present());
  EXPECT_EQ(lazy.description(), torch_plugin().backend("torch").description());
}

TEST(TorchPlugin, ItsNetworkAgreesWithTheReference) {
  Matrix images(3, graph().input().size());
  fill_normal(Key(2), images.flat());
  const Matrix found = networks::forward_all(*torch_plugin().backend("torch").compile(graph()), images, 2);
  const Matrix expected = networks::forward_all(*networks::compile(graph(), "reference"), images, 2);
  for (std::size_t i = 0; i < expected.values().size(); ++i) {
    ASSERT_NEAR(found.values()[i], expected.values()[i], 1e-4 * (1.0 + std::abs(expected.values()[i])));
  }
}

// An exception that is thrown in the library is caught by its type in the program.
TEST(TorchPlugin, ItsErrorsAreMisuseHereToo) {
  expect_misuse([] { (void)torch_plugin().load_inception("/nowhere.pt"); }, {"/nowhere.pt"});
}

TEST(TorchPlugin, TheGpuBackendRunsOrSaysThatThereIsNoGpu) {
  EXPECT_EQ(torch_plugin().backend("torch_cuda").name(), "torch_cuda");
  const std::string reason = torch_plugin().backend("torch_cuda").unsupported(graph());
  EXPECT_THAT(reason, testing::AnyOf("", HasSubstr("no GPU")));
  EXPECT_EQ(torch_plugin().backend("torch_cuda").present(), reason.empty());
}

}  // namespace
}  // namespace vaeguard::plugins
