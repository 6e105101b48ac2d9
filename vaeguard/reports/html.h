// Safe text for HTML: escaping, JSON and scripts inside script elements, data URIs.
#pragma once

#include <string>
#include <string_view>

namespace vaeguard::reports {

/// `text` with & < > " ' as entities, safe in elements and in quoted attributes.
std::string escape_html(std::string_view text);

/// JSON for a script element: every < is written \u003c, so nothing in it can close the element.
std::string json_for_script(std::string_view json);

/// JavaScript for a script element: </script inside a string or pattern is written <\/script, which means the same.
std::string code_for_script(std::string_view code);

/// "data:image/png;base64,..." of the bytes of a PNG file.
std::string png_data_uri(std::string_view png);

/// `text` as a name for files and for id attributes: letters, digits, dots, dashes and underscores, others as dashes.
std::string safe_name(std::string_view text);

}  // namespace vaeguard::reports
