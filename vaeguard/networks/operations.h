// The operations of layers by name: their sources, options and output shapes.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "vaeguard/networks/layer_graph.h"

namespace vaeguard::networks {

/// One field of LayerOptions, under its name in checkpoints.
struct OptionField {
  std::string_view name;
  std::variant<int LayerOptions::*, std::int64_t LayerOptions::*, bool LayerOptions::*, ImageShape LayerOptions::*,
               std::array<int, 3> LayerOptions::*, std::array<int, 4> LayerOptions::*>
      member;
  std::int64_t least = 0;  // smallest value of its integers
  bool always = true;      // written to checkpoints even if it has its default
};

/// The properties of an operation that do not depend on the backend. Backends have tables of their own, in this order.
struct OperationEntry {
  Operation operation;
  std::string_view name;
  std::string_view description;
  std::size_t least_sources = 1;
  std::size_t most_sources = 1;
  std::span<const OptionField> fields;  // besides sources and activation
  /// The output shape, from `inputs` and options; throws Misuse if these do not fit. Extents below 1 mean that nothing
  /// remains of the output.
  ImageShape (*output)(const Layer& layer);
};

constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

/// All operations, in the order of their enumerators.
std::span<const OperationEntry> operations();
const OperationEntry& entry(Operation operation);

/// Every field that an operation may take.
std::span<const OptionField> option_fields();

}  // namespace vaeguard::networks
