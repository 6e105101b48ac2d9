// The defences that plans can name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/base/registry.h"
#include "vaeguard/defences/entry.h"

namespace vaeguard::defences {

const Registry<DefenceEntry>& defences();

/// Reads the options of an entry and the transform before it. The caller finishes the reader. Throws Misuse that names
/// place, key, expectation and finding.
Prepared prepare(const DefenceEntry& entry, OptionReader& reader);
/// All options that prepare() reads, with what they are where nothing is said.
std::vector<Option> options_of(const DefenceEntry& entry);

}  // namespace vaeguard::defences
