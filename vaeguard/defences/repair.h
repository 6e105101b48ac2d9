// The cheapest defence: encoder and pixel law alternate, without gradients.
#pragma once

#include <memory>
#include <string>

#include "vaeguard/base/option_schema.h"
#include "vaeguard/defences/channel_repair.h"
#include "vaeguard/defences/defence.h"

namespace vaeguard::defences {

struct RepairOptions {
  std::string name = "repair";
  int passes = 8;  // each an encoding and a decoding
  ChannelFit observation = {};
};

const OptionSchema<RepairOptions>& repair_schema();
/// Throws Misuse naming the option.
void validate(const RepairOptions& options);
/// The mean is the encoder's mean for the repaired image, the draw one from that encoding. Where the pixel law is not
/// telling (law_is_telling), map_gaussian_options() infers instead: encoder and law would do harm.
std::unique_ptr<Defence> make_repair(const RepairOptions& options);

}  // namespace vaeguard::defences
