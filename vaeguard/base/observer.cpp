// The observer that ignores everything.
#include "vaeguard/base/observer.h"

namespace vaeguard {

Observer& silent_observer() {
  static Observer observer;
  return observer;
}

}  // namespace vaeguard
