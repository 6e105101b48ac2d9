// The user's Inception network, a TorchScript file, whose features FID compares.
#pragma once

#include <filesystem>
#include <memory>

#include "vaeguard/metrics/feature_extractor.h"

namespace vaeguard::torchscript {

/// Loads a module whose forward takes RGB images [n, 3, H, W] and gives features [n, F] or [n, F, h, w] (averaged over
/// positions), or a tuple or list of these, with F one of 64, 192, 768 and 2048, each at most once: the metrics fid_64
/// to fid_2048. Pixels are rounded to 8 bits, since FID is defined on image files; grey is repeated to three channels.
/// If forward has an argument `return_features`, as in the file inception-2015-12-05.pt of the StyleGAN authors, it is
/// set and pixels are bytes from 0 to 255; otherwise pixels are floats from 0 to 1. The module itself resizes to
/// Inception's 299 x 299. Runs on the CPU. Throws Misuse that says what the file must be.
std::unique_ptr<metrics::FeatureExtractor> load_inception(const std::filesystem::path& file);

}  // namespace vaeguard::torchscript
