// What is recorded of build and machine: the backends from which numbers can have come, and no others.
#include "vaeguard/runs/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/temporary_folder.h"
#include "vaeguard/base/file.h"
#include "vaeguard/networks/network.h"
#include "vaeguard/runs/run_folder.h"

namespace vaeguard::runs {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Is loaded when a test says so.
class LateBackend : public networks::Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "late"; }
  [[nodiscard]] std::string description() const override { return "of another library"; }
  [[nodiscard]] bool present() const override { return loaded; }
  [[nodiscard]] std::string unsupported(const networks::LayerGraph& /*graph*/,
                                        networks::Precision /*precision*/) const override {
    return "it runs nothing";
  }
  [[nodiscard]] std::shared_ptr<const networks::Network> compile(const networks::LayerGraph& /*graph*/,
                                                                 networks::Precision /*precision*/) const override {
    return nullptr;
  }
  bool loaded = false;
};

LateBackend& late_backend() {
  static LateBackend backend;
  static const bool registered = [] {
    networks::register_backend(backend);
    return true;
  }();
  (void)registered;
  backend.loaded = false;
  return backend;
}

TEST(Environment, NamesABackendOnceItIsPresent) {
  LateBackend& late = late_backend();
  EXPECT_THAT(environment_json({}), testing::AllOf(HasSubstr("backend native"), Not(HasSubstr("backend late"))));
  EXPECT_THAT(environment_names(), testing::Contains("backend late"));
  late.loaded = true;
  EXPECT_THAT(environment_json({}), HasSubstr("\"backend late\": \"of another library\""));
}

TEST(Environment, OfAnEarlierCallDoesNotStay) {
  LateBackend& late = late_backend();
  late.loaded = true;
  const TemporaryFolder temporary;
  const auto write = [&] {
    RunFolder folder(temporary.path(), "seed = 1\n", silent_observer());
    folder.note("threads", "2");
    folder.write();
    return read_file(temporary.path() / "environment.json");
  };
  EXPECT_THAT(write(), HasSubstr("backend late"));
  late.loaded = false;
  EXPECT_THAT(write(), testing::AllOf(Not(HasSubstr("backend late")), HasSubstr("\"threads\": \"2\"")));
}

}  // namespace
}  // namespace vaeguard::runs
