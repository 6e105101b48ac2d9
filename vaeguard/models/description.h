// One JSON object of a checkpoint's metadata while it is read, for the sources of this folder only.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/image_shape.h"

namespace vaeguard::models {

// No layer of a sensible network exceeds these; they keep a hostile file from asking for endless work.
constexpr std::int64_t kLargestExtent = 1 << 14;  // rows, columns and what moves over them
constexpr std::int64_t kLargestImage = 1 << 24;   // values, so channels too

/// `where` (a layer, say) and `place` (the file) go into every error.
struct Description {
  const nlohmann::json& fields;
  std::string where;
  std::string_view place;

  /// The field's text, "nothing" where there is none.
  [[nodiscard]] std::string found(std::string_view field) const;
  [[nodiscard]] std::int64_t integer(std::string_view field, std::int64_t least,
                                     std::int64_t most = kLargestExtent) const;
  [[nodiscard]] bool truth(std::string_view field) const;
  [[nodiscard]] double number(std::string_view field) const;
  /// `count` integers, any number of them where it is 0.
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view field, std::size_t count, std::int64_t least,
                                                   std::int64_t most = kLargestExtent) const;
  [[nodiscard]] ImageShape shape(std::string_view field) const;
  /// Which of `known` the field names.
  [[nodiscard]] std::size_t choice(std::string_view field, const std::vector<std::string>& known) const;
  /// A field that nobody reads would change the network in silence.
  void refuse_others_than(const std::vector<std::string>& known) const;
};

}  // namespace vaeguard::models
