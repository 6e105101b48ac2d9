// The table of operations without weights.
#include "vaeguard/networks/native/plain_steps.h"

#include <array>

#include "vaeguard/networks/native/arithmetic_steps.h"
#include "vaeguard/networks/native/move_steps.h"
#include "vaeguard/networks/native/window_steps.h"

namespace vaeguard::networks::native {
namespace {

using Make = std::unique_ptr<Step> (*)(const Layer& layer);

constexpr std::array<Make, 16> kSteps{
    nullptr,                  // convolution: weighted_step.h
    nullptr,                  // transposed convolution
    make_addition_step,       // addition
    make_move_step,           // upsampling
    make_move_step,           // pixel shuffle
    make_move_step,           // reshape
    make_product_step,        // product
    make_concatenation_step,  // concatenation
    make_move_step,           // slice
    make_move_step,           // padding
    make_move_step,           // transposition
    make_average_step,        // mean
    make_average_step,        // average pooling
    make_max_pooling_step,    // max pooling
    make_average_step,        // bilinear resize
    make_softmax_step,        // softmax
};
static_assert(kSteps.size() == static_cast<std::size_t>(Operation::softmax) + 1, "one entry for each enumerator");

}  // namespace

std::unique_ptr<Step> make_plain_step(const Layer& layer) {
  return kSteps[static_cast<std::size_t>(layer.operation)](layer);
}

}  // namespace vaeguard::networks::native
