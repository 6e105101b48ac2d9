// The cheapest defence: encoder and pixel law take turns, and no gradient is spent.
#pragma once

#include <memory>
#include <string>

#include "vaeguard/base/option_schema.h"
#include "vaeguard/defences/defence.h"
#include "vaeguard/defences/reading.h"

namespace vaeguard::defences {

struct RepairOptions {
  std::string name = "repair";
  int passes = 8;  // each an encoding and a decoding
  ReadingOptions reading{.reading = Reading::channel};
};

const OptionSchema<RepairOptions>& repair_schema();
/// Throws Misuse naming the option.
void validate(const RepairOptions& options);
/// Its mean is the encoder's for the repaired image, its draw one of that encoding.
std::unique_ptr<Defence> make_repair(const RepairOptions& options);

}  // namespace vaeguard::defences
