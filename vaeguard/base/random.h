// Randomness as an explicit key: counter-based Philox, folded by purpose, image, chain and step.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vaeguard {

/// A name for one stream of random numbers. Equal keys give equal numbers on every machine, whatever was drawn before:
/// an image's result depends on its key alone, never on its batch, thread or order.
class Key {
 public:
  explicit Key(std::uint64_t seed) : value_(seed) {}
  /// A new key, independent of this one and of every other fold of it.
  [[nodiscard]] Key fold(std::uint64_t number) const;
  /// The same by name.
  [[nodiscard]] Key fold(std::string_view purpose) const;
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_;
};

/// The random numbers of a key, from the start of its stream: Philox 4x32-10 (Salmon et al. 2011, SC'11).
class Stream {
 public:
  explicit Stream(Key key) : key_(key) {}
  std::uint32_t bits();
  /// Uniform in the open interval (0, 1).
  double uniform();
  /// Uniform in 0 .. bound - 1, without modulo bias.
  std::uint64_t below(std::uint64_t bound);

 private:
  Key key_;
  std::uint64_t counter_ = 0;
  std::uint32_t block_[4] = {};
  int used_ = 4;
};

/// Fills `out` with independent standard normals (Box-Muller, in double, rounded to float).
void fill_normal(Key key, std::span<float> out);
/// Fills `out` with independent uniforms on (low, high); rounding to float may give a bound itself.
void fill_uniform(Key key, float low, float high, std::span<float> out);
/// The numbers 0 .. count - 1 in random order (Fisher-Yates).
std::vector<std::int64_t> permutation(Key key, std::int64_t count);

}  // namespace vaeguard
