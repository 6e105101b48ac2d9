// Reads and writes whole files, and finds the folders where downloads are cached.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace vaeguard {

/// The bytes of a file. Throws Misuse with the file's name and the system's reason.
std::string read_file(const std::filesystem::path& path);

/// Writes a file so that a reader, or a crash at any moment, sees the old content or the whole new one: a temporary
/// file beside it is written, flushed to the disk and renamed. Makes missing folders. Throws Failure.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Where downloads are cached: the environment variable `variable` if set and not empty, else
/// ~/.cache/vaeguard/NAME. Throws Misuse if neither that variable nor HOME is set.
std::filesystem::path cache_folder(const char* variable, std::string_view name);

}  // namespace vaeguard
