// What a speed depends on besides the program: the processor's instruction sets, the load and the memory.
#pragma once

#include <string>

namespace vaeguard::cli {

/// The vector instruction sets of this processor that matter to a network, "avx2 fma", or a phrase for none.
std::string instruction_sets();

/// Programs that ran or waited to run during the last minute, on average: speeds measured on a busy machine are
/// meaningless.
double load_average();

/// The most memory that this process has had resident, in MiB (VmHWM); 0 if the system does not say.
double peak_resident_megabytes();
/// Resets that peak to what is resident now, if the system allows it.
void reset_peak_resident();

}  // namespace vaeguard::cli
