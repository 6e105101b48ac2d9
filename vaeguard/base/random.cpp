// Philox keys and streams over Random123, and the distributions drawn from them.
#include "vaeguard/base/random.h"

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace vaeguard {
namespace {

using Philox = r123::Philox4x32;

Philox::ctr_type philox(std::uint64_t key, std::uint64_t low, std::uint64_t high) {
  const Philox::ctr_type counter{{static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(low >> 32U),
                                  static_cast<std::uint32_t>(high), static_cast<std::uint32_t>(high >> 32U)}};
  const Philox::key_type philox_key{{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32U)}};
  return Philox{}(counter, philox_key);
}

// The high half of the counter keeps streams, folded numbers and folded names apart; a name ends with its length, so
// that folding "ab" differs from folding "a", then "b".
constexpr std::uint64_t kStreamDomain = 0;
constexpr std::uint64_t kNumberDomain = 1;
constexpr std::uint64_t kNameDomain = 2;
constexpr std::uint64_t kLengthDomain = 3;

std::uint64_t join(const Philox::ctr_type& words) {
  return static_cast<std::uint64_t>(words[0]) | (static_cast<std::uint64_t>(words[1]) << 32U);
}

}  // namespace

Key Key::fold(std::uint64_t number) const { return Key(join(philox(value_, number, kNumberDomain))); }

Key Key::fold(std::string_view purpose) const {
  std::uint64_t value = value_;
  for (const char letter : purpose) {
    value = join(philox(value, static_cast<unsigned char>(letter), kNameDomain));
  }
  return Key(join(philox(value, purpose.size(), kLengthDomain)));
}

std::uint32_t Stream::bits() {
  if (used_ == 4) {
    const auto words = philox(key_.value(), counter_++, kStreamDomain);
    std::copy(words.begin(), words.end(), block_);
    used_ = 0;
  }
  return block_[used_++];
}

double Stream::uniform() { return (static_cast<double>(bits()) + 0.5) * 0x1p-32; }

std::uint64_t Stream::below(std::uint64_t bound) {
  const std::uint64_t excess = (0 - bound) % bound;  // 2^64 mod bound: values below it would be drawn too often
  while (true) {
    const std::uint64_t high = bits();
    const std::uint64_t value = (high << 32U) | bits();
    if (value >= excess) {
      return value % bound;
    }
  }
}

void fill_normal(Key key, std::span<float> out) {
  Stream stream(key);
  for (std::size_t i = 0; i < out.size(); i += 2) {
    const double radius = std::sqrt(-2.0 * std::log(stream.uniform()));
    const double angle = 2.0 * std::numbers::pi * stream.uniform();
    out[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < out.size()) {
      out[i + 1] = static_cast<float>(radius * std::sin(angle));
    }
  }
}

void fill_uniform(Key key, float low, float high, std::span<float> out) {
  Stream stream(key);
  for (float& value : out) {
    value = low + (high - low) * static_cast<float>(stream.uniform());
  }
}

std::vector<std::int64_t> permutation(Key key, std::int64_t count) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  Stream stream(key);
  for (std::int64_t i = count - 1; i > 0; --i) {
    std::swap(order[static_cast<std::size_t>(i)], order[stream.below(static_cast<std::uint64_t>(i) + 1)]);
  }
  return order;
}

}  // namespace vaeguard
