// Reading, atomic writing and the cache folder, over POSIX files.
#include "vaeguard/base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "vaeguard/base/error.h"

namespace vaeguard {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

std::string system_reason() { return std::generic_category().message(errno); }

// Calls again after a signal; false on any other error.
bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      return false;
    }
    bytes.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
  return true;
}

// Unique among the threads of this process and among processes.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> count{0};
  fs::path temporary = path;
  temporary += fmt::format(".{}-{}.tmp", ::getpid(), count.fetch_add(1));
  return temporary;
}

}  // namespace

std::string read_file(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) {
    misuse("base.file", "cannot open {}: {}", path.string(), system_reason());
  }
  std::error_code no_size;
  const auto expected = fs::file_size(path, no_size);
  std::string bytes;
  std::size_t length = 0;
  bytes.resize(no_size ? 4096 : static_cast<std::size_t>(expected) + 1);
  while (true) {
    const ssize_t got = ::read(file.number(), bytes.data() + length, bytes.size() - length);
    if (got < 0 && errno != EINTR) {
      misuse("base.file", "cannot read {}: {}", path.string(), system_reason());
    }
    if (got == 0) {
      bytes.resize(length);
      return bytes;
    }
    length += got < 0 ? 0 : static_cast<std::size_t>(got);
    if (length == bytes.size()) {
      bytes.resize(2 * length);
    }
  }
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  std::error_code error;
  if (path.has_parent_path()) {
    fs::create_directories(path.parent_path(), error);
    if (error) {
      failure("base.file", "cannot make the folder {}: {}", path.parent_path().string(), error.message());
    }
  }
  const fs::path temporary = temporary_beside(path);
  std::string reason;
  {
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file.number() < 0) {
      failure("base.file", "cannot write {}: {}", temporary.string(), system_reason());
    }
    if (!write_all(file.number(), bytes) || ::fsync(file.number()) != 0) {
      reason = system_reason();
    }
  }
  if (reason.empty() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    reason = system_reason();
  }
  if (!reason.empty()) {
    fs::remove(temporary, error);
    failure("base.file", "cannot write {}: {}", path.string(), reason);
  }
}

fs::path cache_folder(const char* variable, std::string_view name) {
  if (const char* wanted = std::getenv(variable); wanted != nullptr && *wanted != '\0') {
    return wanted;
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') {
    misuse("base.file", "set {} to the folder for {}: neither it nor HOME is set", variable, name);
  }
  return fs::path(home) / ".cache" / "vaeguard" / name;
}

}  // namespace vaeguard
