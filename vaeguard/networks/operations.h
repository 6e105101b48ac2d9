// The operations of layers by name: what each reads, the options it takes and the shape it gives.
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

/// One field of LayerOptions, as checkpoints spell it.
struct OptionField {
  std::string_view name;
  std::variant<int LayerOptions::*, std::int64_t LayerOptions::*, bool LayerOptions::*, ImageShape LayerOptions::*,
               std::array<int, 3> LayerOptions::*, std::array<int, 4> LayerOptions::*>
      member;
  std::int64_t least = 0;  // of its integers
  bool always = true;      // checkpoints hold it even where it has its default
};

/// What the program knows of an operation whatever the backend. Backends keep tables of their own, in this order.
struct OperationEntry {
  Operation operation;
  std::string_view name;
  std::string_view description;
  std::size_t least_sources = 1;
  std::size_t most_sources = 1;
  std::span<const OptionField> fields;  // besides sources and activation
  /// The output's shape from `inputs` and options; throws Misuse where they do not fit. Extents below 1 say that no
  /// output remains.
  ImageShape (*output)(const Layer& layer);
};

constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

/// All operations, in the order of their enumerators.
std::span<const OperationEntry> operations();
const OperationEntry& entry(Operation operation);

/// Every field that an operation may take.
std::span<const OptionField> option_fields();

}  // namespace vaeguard::networks
