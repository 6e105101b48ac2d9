// Text as an experiment's plan.
#include "vaeguard/plans/plan.h"

#include "fuzz/target.h"

using namespace vaeguard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::read_or_refuse([&] { static_cast<void>(plans::parse_plan(fuzz::text(data, size), "input.toml")); });
}
