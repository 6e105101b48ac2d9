// The files of vaeguard/reports/page/, built into the library.
#pragma once

#include <string_view>

namespace vaeguard::reports {

extern const std::string_view kPageTemplate;  // HTML with {{places}}
extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace vaeguard::reports
