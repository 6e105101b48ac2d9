// Escaping for HTML and base64 for embedded pictures.
#include "vaeguard/reports/html.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>

namespace vaeguard::reports {

std::string escape_html(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string json_for_script(std::string_view json) {
  std::string safe;
  safe.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string code_for_script(std::string_view code) {
  constexpr std::string_view kClosing = "</script";
  std::string safe;
  safe.reserve(code.size());
  for (std::size_t i = 0; i < code.size(); ++i) {
    const std::string_view here = code.substr(i, kClosing.size());
    const bool closes = std::ranges::equal(
        here, kClosing, [](unsigned char found, char wanted) { return std::tolower(found) == wanted; });
    safe += code[i];
    if (closes) {
      safe += '\\';
    }
  }
  return safe;
}

std::string png_data_uri(std::string_view png) {
  std::string encoded(4 * ((png.size() + 2) / 3) + 1, '\0');  // EVP_EncodeBlock ends with a zero byte
  const int written = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                      reinterpret_cast<const unsigned char*>(png.data()), static_cast<int>(png.size()));
  encoded.resize(static_cast<std::size_t>(written));
  return "data:image/png;base64," + encoded;
}

std::string safe_name(std::string_view text) {
  std::string name(text);
  for (char& c : name) {
    const bool kept = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
    c = kept ? c : '-';
  }
  return name;
}

}  // namespace vaeguard::reports
