// Long work at a terminal: progress bars with the time left, messages, and Ctrl-C.
#pragma once

#include <memory>

#include "vaeguard/base/observer.h"

namespace vaeguard::cli {

/// Messages go to standard error; a progress bar appears there only when it is a terminal; `quiet` silences both.
/// The first Ctrl-C (or SIGTERM) asks the work to stop at its next safe point, the second one ends the program.
std::unique_ptr<Observer> make_terminal_observer(bool quiet);

}  // namespace vaeguard::cli
