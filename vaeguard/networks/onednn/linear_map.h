// A weighted layer's map or its gradient in one of several forms; for the sources of this folder only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vaeguard/networks/onednn/floats.h"
#include "vaeguard/networks/onednn/moves.h"
#include "vaeguard/networks/onednn/primitive.h"

namespace vaeguard::networks::onednn {

/// What one thread needs to run calls.
struct Workspace {
  /// Binds `calls` to one scratchpad, which they can share since they run one after another, and allocates `columns`
  /// floats.
  Workspace(std::span<const Call> calls, std::int64_t columns);

  dnnl::stream stream{engine()};
  Floats scratch;
  std::vector<BoundCall> calls;  // one for each call of the program
  Floats columns;
};

/// What follows the sums of a forward map; empty for a gradient.
struct Epilogue {
  std::vector<float> bias;  // empty, one per channel, or one per value as [position][channel]
  Activation activation = Activation::none;
  double slope = 0.0;
};

/// A gather takes the fine side of a kernel to the coarse one (a convolution, or the gradient of a transposed one), a
/// scatter the coarse side to the fine one (the other two). Either can be run as
/// * direct: a convolution; of a scatter only with stride 1, its kernel flipped;
/// * transpose: oneDNN's gradient of a convolution; of a gather only with stride 1, its kernel flipped;
/// * columns: one matrix product over all positions and taps, with a copy before (gather) or a sum after (scatter);
/// none
///   is needed where the fine side has just the taps of one coarse position.
enum class Form { direct, transpose, columns };
std::string_view name(Form form);

class LinearMap {
 public:
  /// `weights` are [coarse channel][fine channel of the group][tap]. Appends what it needs to `calls`.
  LinearMap(const Geometry& geometry, bool scatter, Form form, std::span<const float> weights, const Epilogue& epilogue,
            std::int64_t rows, std::vector<Call>& calls);

  /// `source` [rows, ...] -> `result` [rows, ...], overwritten.
  void run(Workspace& workspace, const float* source, float* result) const;
  /// Floats of Workspace::columns that it needs.
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] Form form() const { return form_; }

 private:
  void make_direct(std::span<const float> weights, std::vector<Call>& calls);
  void make_transpose(std::span<const float> weights, std::vector<Call>& calls);
  void make_columns(std::span<const float> weights, std::vector<Call>& calls);
  void run_columns(Workspace& workspace, const float* source, float* result) const;

  Geometry geometry_;
  bool scatter_;
  Form form_;
  Epilogue epilogue_;
  std::int64_t rows_;
  std::int64_t block_ = 0;  // rows per matrix product
  std::int64_t columns_ = 0;
  std::size_t call_ = 0;
  std::optional<std::size_t> activate_;  // the call that activates, if no other primitive does
  std::vector<Run> runs_;
  ColumnSums sums_;
  bool plain_ = false;  // whether the columns are the fine side itself
};

/// Whether a kernel can be flipped: stride 1, and padding that does not exceed the kernel's reach.
bool can_flip(const Geometry& geometry);
/// The forms that a map can take, the one that always works last.
std::vector<Form> possible_forms(const Geometry& geometry, bool scatter, const Epilogue& epilogue);
/// Whether oneDNN has what the last of the possible forms needs.
bool supported(const Geometry& geometry, std::int64_t rows);

}  // namespace vaeguard::networks::onednn
