// Input transforms: baselines that change the image before it is encoded, alone or as the first stage of a defence.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/matrix.h"
#include "vaeguard/base/option_schema.h"
#include "vaeguard/base/registry.h"
#include "vaeguard/defences/defence.h"

namespace vaeguard::defences {

enum class Number { real, whole, odd };

/// A transform has one parameter.
struct TransformEntry {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  std::string_view caution;    // of the defence that it makes of the encoder alone
  std::string_view parameter;  // the parameter's name
  double value = 0.0;          // the parameter's default
  double least = 0.0;          // bounds of the parameter, inclusive
  double most = 0.0;
  Number number = Number::real;
  /// Transforms one image [C*H*W] into `result`, a span of the same size that does not overlap it.
  void (*run)(double parameter, ImageShape shape, std::span<const float> image, std::span<float> result) = nullptr;
};

/// * threshold, at `level`: x >= level -> 1, else 0.
/// * snap, within `distance` of black and white: x <= distance -> 0, x >= 1 - distance -> 1, else x.
/// * median of a `window` x `window` neighbourhood, each channel for itself, borders replicated.
/// * bit_depth, to 2^bits equidistant levels, the nearest (Xu, Evans and Qi, "Feature squeezing", NDSS 2018; so is
///   median).
/// * jpeg at `quality`, there and back (Dziugaite, Ghahramani and Roy, "A study of the effect of JPG compression on
///   adversarial images", 2016).
/// * gaussian_blur of standard deviation `sigma` pixels, cut off at four of them, borders replicated.
const Registry<TransformEntry>& transforms();

struct TransformOptions {
  std::string transform = "threshold";
  std::optional<double> parameter;  // empty for the transform's default
  bool of_attack = false;           // of snap: the defender is told the attack's radius, which becomes `parameter`
  std::string name;                 // of the defence in records; empty: the transform's, then _ and the next defence's
};

/// The parameter as plans write it: a number or the word "attack".
const OptionSchema<TransformOptions>& transform_schema();

/// Throws Misuse naming the transform or its parameter.
void validate(const TransformOptions& options);

/// Transforms images [B, C*H*W] of values in [0, 1] into images of the same shape, each independently and
/// deterministically, for any number of threads. Values outside [0, 1] pass through median and gaussian_blur unchanged
/// and are clamped by all others. Throws Misuse for bad options, shapes that do not agree and pixels that are not
/// finite.
Matrix apply_transform(const TransformOptions& options, const Matrix& images, ImageShape shape, int threads);

/// Transforms the images and lets `after` infer from the result. Without a name in `options` it is called, for example,
/// "median" before the undefended encoder and "median_hmc" before hmc.
std::unique_ptr<Defence> make_transformed(TransformOptions options, std::unique_ptr<Defence> after);

}  // namespace vaeguard::defences
