// Fields of the kinds that checkpoints have.
#include "vaeguard/models/description.h"

#include <algorithm>
#include <cmath>

#include "vaeguard/base/error.h"
#include "vaeguard/base/text.h"

namespace vaeguard::models {

using nlohmann::json;

std::string Description::found(std::string_view field) const {
  const auto at = fields.find(field);
  return at == fields.end() ? "nothing" : at->dump(-1, ' ', false, json::error_handler_t::replace);
}

std::int64_t Description::integer(std::string_view field, std::int64_t least, std::int64_t most) const {
  const auto at = fields.find(field);
  if (at == fields.end() || !at->is_number_integer() || *at < least || *at > most) {
    misuse(place, "{}: '{}' must be an integer in {} .. {}, found {}", where, field, least, most, found(field));
  }
  return at->get<std::int64_t>();
}

bool Description::truth(std::string_view field) const {
  const auto at = fields.find(field);
  if (at == fields.end() || !at->is_boolean()) {
    misuse(place, "{}: '{}' must be true or false, found {}", where, field, found(field));
  }
  return at->get<bool>();
}

double Description::number(std::string_view field) const {
  const auto at = fields.find(field);
  if (at == fields.end() || !at->is_number() || !std::isfinite(at->get<double>())) {
    misuse(place, "{}: '{}' must be a finite number, found {}", where, field, found(field));
  }
  return at->get<double>();
}

std::vector<std::int64_t> Description::integers(std::string_view field, std::size_t count, std::int64_t least,
                                                std::int64_t most) const {
  const auto at = fields.find(field);
  if (at == fields.end() || !at->is_array() || (count > 0 && at->size() != count)) {
    misuse(place, "{}: '{}' must be {}integers, found {}", where, field, count == 0 ? "" : fmt::format("{} ", count),
           found(field));
  }
  std::vector<std::int64_t> result;
  for (const json& value : *at) {
    const json one = json::object({{std::string(field), value}});
    result.push_back(Description{one, where, place}.integer(field, least, most));
  }
  return result;
}

ImageShape Description::shape(std::string_view field) const {
  const std::vector<std::int64_t> extents = integers(field, 3, 1, kLargestImage);
  const ImageShape result{extents[0], extents[1], extents[2]};
  const std::int64_t longest = std::max(result.height, result.width);
  if (longest > kLargestExtent || result.size() > kLargestImage) {
    misuse(place, "{}: '{}' may have at most {} rows, {} columns and {} values, found {}", where, field, kLargestExtent,
           kLargestExtent, kLargestImage, found(field));
  }
  return result;
}

std::size_t Description::choice(std::string_view field, const std::vector<std::string>& known) const {
  const auto at = fields.find(field);
  if (at == fields.end() || !at->is_string()) {
    misuse(place, "{}: '{}' must be a string, found {}", where, field, found(field));
  }
  const std::string word = at->get<std::string>();
  const auto match = std::ranges::find(known, word);
  if (match == known.end()) {
    unknown_name(place, fmt::format("{} of {}", field, where), word, known);
  }
  return static_cast<std::size_t>(match - known.begin());
}

void Description::refuse_others_than(const std::vector<std::string>& known) const {
  for (const auto& [field, value] : fields.items()) {
    if (std::ranges::find(known, field) == known.end()) {
      unknown_name(place, "field of " + where, field, known);
    }
  }
}

}  // namespace vaeguard::models
