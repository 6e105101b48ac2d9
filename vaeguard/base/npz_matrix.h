// Batches of rows and images as arrays of .npz files, and back.
#pragma once

#include <string>
#include <string_view>

#include "vaeguard/base/image_shape.h"
#include "vaeguard/base/matrix.h"
#include "vaeguard/base/matrix_view.h"
#include "vaeguard/base/npz.h"

namespace vaeguard {

/// An array [rows, columns].
NpzArray rows_array(MatrixView rows);
/// An array [B, C, H, W] of images [B, C*H*W].
NpzArray images_array(MatrixView images, ImageShape shape);

/// The named array's images as [B, C*H*W]. It may be stored as [B, C, H, W], flat, or with one channel as [B, H, W].
/// Throws Misuse, naming `place` and both shapes, unless the array exists, is float32, is finite and has that shape.
Matrix images_from(const NpzArrays& arrays, const std::string& name, ImageShape shape, std::string_view place);

}  // namespace vaeguard
