// The user's Inception network, as TorchScript, whose features make FID.
#pragma once

#include <filesystem>
#include <memory>

#include "vaeguard/metrics/feature_extractor.h"

namespace vaeguard::torchscript {

/// A module whose forward takes images [n, 3, H, W] in red, green, blue and gives features [n, F] or [n, F, h, w] (then
/// their means over the positions), or a tuple or list of these, with F of 64, 192, 768 and 2048 at most once each: the
/// metrics fid_64 to fid_2048. Pixels are rounded to 8 bits, as FID is defined on files of images; grey is repeated to
/// three channels. Where forward has an argument `return_features`, as the file inception-2015-12-05.pt of the StyleGAN
/// authors has, it is set and pixels are bytes from 0 to 255; else they are floats from 0 to 1. Resizing to Inception's
/// 299 x 299 is the module's. Runs on the processor. Throws Misuse that says what the file must be.
std::unique_ptr<metrics::FeatureExtractor> load_inception(const std::filesystem::path& file);

}  // namespace vaeguard::torchscript
