// What a speed depends on besides the program: the processor's instruction sets and the memory that was needed.
#pragma once

#include <string>

namespace vaeguard::cli {

/// The vector instruction sets of this processor that matter to a network, "avx2 fma", or a phrase that says none.
std::string instruction_sets();

/// Programs that ran or waited to run during the last minute, on average: a speed told on a busy machine is no speed.
double load_average();

/// The most memory that this process has had resident, in MiB (VmHWM); 0 where the system does not tell.
double peak_resident_megabytes();
/// Begins to count that peak anew from what is resident now, where the system allows it.
void reset_peak_resident();

}  // namespace vaeguard::cli
