// Digests through OpenSSL's EVP interface.
#include "vaeguard/data/checksum.h"

#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>

#include "vaeguard/base/error.h"

namespace vaeguard::data {
namespace {

class Digest {
 public:
  explicit Digest(const EVP_MD* algorithm) : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    check(context_ != nullptr && EVP_DigestInit_ex(context_.get(), algorithm, nullptr) == 1);
  }

  void update(std::string_view bytes) { check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1); }

  std::string hexadecimal() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned int length = 0;
    check(EVP_DigestFinal_ex(context_.get(), bytes.data(), &length) == 1);
    std::string text;
    for (unsigned int i = 0; i < length; ++i) {
      text += fmt::format("{:02x}", bytes[i]);
    }
    return text;
  }

 private:
  // A machine in FIPS mode refuses MD5.
  static void check(bool done) {
    if (!done) {
      failure("data.checksum", "OpenSSL refuses this digest algorithm");
    }
  }

  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string digest_of_bytes(const EVP_MD* algorithm, std::string_view bytes) {
  Digest digest(algorithm);
  digest.update(bytes);
  return digest.hexadecimal();
}

}  // namespace

std::string md5(std::string_view bytes) { return digest_of_bytes(EVP_md5(), bytes); }
std::string sha256(std::string_view bytes) { return digest_of_bytes(EVP_sha256(), bytes); }

std::string sha256_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  Digest digest(EVP_sha256());
  std::string piece(std::size_t{1} << 20U, '\0');
  while (file) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    digest.update(std::string_view(piece).substr(0, static_cast<std::size_t>(file.gcount())));
  }
  if (!file.eof()) {
    misuse("data.checksum", "cannot read {}", path.string());
  }
  return digest.hexadecimal();
}

}  // namespace vaeguard::data
