// The attackers that plans can name.
#include "vaeguard/attacks/attacker.h"

namespace vaeguard::attacks {

const Registry<AttackerEntry>& attackers() {
  static const Registry<AttackerEntry> entries(
      "attacks", "attacker",
      {{"blind", "Blind", "Knows the model and attacks it undefended; what stands behind the encoder is unknown."}});
  return entries;
}

}  // namespace vaeguard::attacks
