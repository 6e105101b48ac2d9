// Digests of bytes and files: MD5 to compare with published values, SHA-256 to identify.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace vaeguard::data {

/// Lower-case hexadecimal digests.
std::string md5(std::string_view bytes);
std::string sha256(std::string_view bytes);

/// The digest of a file's bytes, read in pieces; throws Misuse if it cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace vaeguard::data
