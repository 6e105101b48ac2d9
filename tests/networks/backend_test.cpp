// Choosing a backend: the forced one really runs, the environment is heard, wrong names are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "tests/networks/random_graph.h"
#include "vaeguard/base/error.h"
#include "vaeguard/networks/network.h"
#include "vaeguard/networks/reference/reference_network.h"

namespace vaeguard::networks {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Sets an environment variable for the time of a test.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) {
      old_ = old;
    }
    setenv(name, value, 1);
  }
  ~Environment() {
    if (old_) {
      setenv(name_, old_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

/// A backend that a test can tell from all others: every output is 42. It takes graphs of one layer only.
class ProbeBackend : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "probe"; }
  [[nodiscard]] std::string description() const override { return "42"; }
  [[nodiscard]] std::string unsupported(const LayerGraph& graph, Precision /*precision*/) const override {
    return graph.layers.size() == 1 ? "" : "it has not exactly one layer";
  }
  [[nodiscard]] std::shared_ptr<const Network> compile(const LayerGraph& graph,
                                                       Precision /*precision*/) const override {
    class ProbeNetwork : public Network {
     public:
      explicit ProbeNetwork(LayerGraph the_graph) : graph_(std::move(the_graph)) {}
      [[nodiscard]] const LayerGraph& graph() const override { return graph_; }
      [[nodiscard]] std::string_view backend() const override { return "probe"; }
      [[nodiscard]] std::unique_ptr<Tape> make_tape() const override { return std::make_unique<Tape>(); }
      void forward(const Matrix& inputs, Matrix& outputs, Tape& /*tape*/) const override {
        outputs = Matrix(inputs.rows(), graph_.output_size(), 42.0F);
      }
      void backward(const Matrix& gradients, Matrix& input_gradients, Tape& /*tape*/) const override {
        input_gradients = Matrix(gradients.rows(), graph_.input_size(), 0.0F);
      }
      void tangent(const Matrix& tangents, Matrix& output_tangents, Tape& /*tape*/) const override {
        output_tangents = Matrix(tangents.rows(), graph_.output_size(), 0.0F);
      }

     private:
      LayerGraph graph_;
    };
    return std::make_shared<ProbeNetwork>(graph);
  }
};

void register_probe_once() {
  static const ProbeBackend probe;
  static const bool registered = [] {
    register_backend(probe);
    return true;
  }();
  EXPECT_TRUE(registered);
}

LayerGraph one_layer() {
  LayerGraph graph{.inputs = {{2, 1, 1}}};
  graph.add(Operation::convolution, {.channels = 3});
  randomise(graph, Key(1));
  return graph;
}

std::string misuse_of(std::string_view name, const LayerGraph& graph) {
  try {
    (void)select_backend(name, graph);
  } catch (const Misuse& error) {
    return error.what();
  }
  return "no error";
}

TEST(BackendSelection, AForcedBackendIsTheOneThatRuns) {
  register_probe_once();
  const LayerGraph graph = one_layer();
  for (const Backend* backend : backends()) {
    EXPECT_EQ(compile(graph, backend->name())->backend(), backend->name());
    EXPECT_FALSE(backend->description().empty());
  }
  const Matrix inputs = random_matrix(Key(2), 2, 2);
  EXPECT_EQ(forward_all(*compile(graph, "probe"), inputs, 1), Matrix(2, 3, 42.0F));
  // The reference rounds once at its door, so its floats are those of the double computation exactly.
  const Matrix outputs = forward_all(*compile(graph, "reference"), inputs, 1);
  EXPECT_EQ(outputs(1, 2), static_cast<float>(reference_forward(graph, in_double(inputs.row(1))).back()[2]));
}

TEST(BackendSelection, AutoPrefersNative) {
  const Environment environment("VAEGUARD_BACKEND", "");
  EXPECT_EQ(compile(one_layer())->backend(), "native");
}

TEST(BackendSelection, TheReferenceIsTheLastResort) {
  register_probe_once();
  EXPECT_EQ(backends().back()->name(), "reference");
}

TEST(BackendSelection, TheEnvironmentDecidesForAutoAlone) {
  const Environment environment("VAEGUARD_BACKEND", "reference");
  EXPECT_EQ(compile(one_layer())->backend(), "reference");
  EXPECT_EQ(compile(one_layer(), "native")->backend(), "native");
}

TEST(BackendSelection, AnUnknownNameIsRefusedWithTheKnownOnes) {
  EXPECT_THAT(misuse_of("lane", one_layer()), AllOf(HasSubstr("native"), HasSubstr("reference"), HasSubstr("'lane'")));
  const Environment environment("VAEGUARD_BACKEND", "abacus");
  EXPECT_THAT(misuse_of("auto", one_layer()), HasSubstr("'abacus'"));
}

TEST(BackendSelection, ABackendThatCannotRunTheGraphSaysWhy) {
  register_probe_once();
  LayerGraph graph = one_layer();
  graph.add(Operation::convolution, {.channels = 1});
  EXPECT_THAT(misuse_of("probe", graph), AllOf(HasSubstr("probe"), HasSubstr("it has not exactly one layer")));
  const LayerGraph nothing{.inputs = {{2, 1, 1}}};
  EXPECT_THAT(misuse_of("native", nothing), HasSubstr("the graph has no layers"));
  EXPECT_THAT(misuse_of("auto", nothing),
              AllOf(HasSubstr("no backend can run this graph: native: the graph has no layers; "),
                    HasSubstr("reference: the graph has no layers")));
}

TEST(BackendSelection, ReferenceNetworkGivesTheReferencesGradients) {
  const LayerGraph graph = random_graph(Key(1021));
  const auto network = compile(graph, "reference");
  const Matrix inputs = random_matrix(Key(2), 3, graph.input_size());
  const Matrix output_gradients = random_matrix(Key(3), 3, graph.output_size());
  const auto tape = network->make_tape();
  Matrix outputs;
  Matrix gradients;
  network->forward(inputs, outputs, *tape);
  network->backward(output_gradients, gradients, *tape);
  const auto boundaries = reference_forward(graph, in_double(inputs.row(2)));
  const auto expected = reference_backward(graph, boundaries, in_double(output_gradients.row(2)));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(gradients.row(2)[i], static_cast<float>(expected[i]));
  }
}

}  // namespace
}  // namespace vaeguard::networks
