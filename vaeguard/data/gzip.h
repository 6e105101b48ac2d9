// Reading gzip in memory, through zlib.
#pragma once

#include <string>
#include <string_view>

namespace vaeguard::data {

/// True if the bytes begin like a gzip file.
bool is_gzip(std::string_view bytes);
/// The content of a gzip file; throws Misuse that names the file (`name`) if it is truncated or damaged.
std::string gunzip(std::string_view bytes, std::string_view name);

}  // namespace vaeguard::data
