// Reads Markdown line by line, as far as these pages use it.
#include "tests/docs/page.h"

#include <algorithm>
#include <regex>
#include <sstream>

#include "vaeguard/base/file.h"

namespace vaeguard::docs {
namespace {

namespace fs = std::filesystem;

void add_matches(const std::string& text, const std::regex& pattern, const std::string& file,
                 std::vector<Piece>& pieces) {
  for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match) {
    std::string found = (*match)[1];
    std::ranges::replace(found, '\n', ' ');
    const auto line = 1 + std::count(text.begin(), text.begin() + match->position(), '\n');
    pieces.push_back({found, file + ":" + std::to_string(line)});
  }
}

Page read_page(const fs::path& file) {
  static const std::regex kFence(R"(^( *)```(\w*)\s*$)");
  static const std::regex kMarker(R"(^<!-- (\w+) -->$)");
  const std::string name = relative(file, VAEGUARD_SOURCE_DIR);
  Page page{.file = file, .blocks = {}, .spans = {}, .links = {}};
  std::istringstream lines(read_file(file));
  std::string prose;  // the page without its blocks, line by line
  std::string marker;
  std::size_t indentation = 0;
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    prose += '\n';
    std::smatch match;
    if (std::regex_match(line, match, kFence)) {
      inside = !inside;
      if (inside) {
        indentation = match[1].length();
        page.blocks.push_back({{"", name + ":" + std::to_string(number)}, match[2], marker});
      }
    } else if (inside) {
      page.blocks.back().text += line.substr(std::min({indentation, line.find_first_not_of(' '), line.size()})) + "\n";
    } else {
      prose.insert(prose.size() - 1, line);
      marker = std::regex_match(line, match, kMarker) ? match[1].str() : "";
    }
  }
  add_matches(prose, std::regex("`([^`]+)`"), name, page.spans);
  add_matches(prose, std::regex(R"(\]\(([^)\s]+)\))"), name, page.links);
  return page;
}

std::vector<Page> pages_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".md") {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  std::vector<Page> pages;
  std::ranges::transform(files, std::back_inserter(pages), read_page);
  return pages;
}

std::vector<Page> pages_of(const std::vector<std::string>& folders) {
  std::vector<Page> pages;
  for (const std::string& folder : folders) {
    std::ranges::move(pages_in(fs::path(VAEGUARD_SOURCE_DIR) / folder), std::back_inserter(pages));
  }
  return pages;
}

}  // namespace

std::vector<Page> all_pages() {
  return pages_of({".", "docs/guide", "docs/design", "docs/adr", "docs/results", "benchmarks", "zoo"});
}

std::vector<Page> pages_to_follow() { return pages_of({".", "docs/guide"}); }

std::vector<std::string> commands(const std::string& block) {
  std::vector<std::string> found;
  std::istringstream lines(block);
  bool joined = false;
  for (std::string line; std::getline(lines, line);) {
    if (const auto comment = line.find('#');
        comment == 0 || (comment != std::string::npos && line[comment - 1] == ' ')) {
      line.resize(comment);
    }
    line.resize(line.find_last_not_of(" \t") + 1);
    const bool goes_on = line.ends_with('\\');
    if (goes_on) {
      line.pop_back();
    }
    if (joined) {
      found.back() += " " + line;
    } else if (!line.empty()) {
      found.push_back(line);
    }
    joined = goes_on;
  }
  std::vector<std::string> single;  // "a && b" are two
  for (const std::string& command : found) {
    std::size_t begin = 0;
    for (std::size_t end = 0; end != std::string::npos; begin = end + 2) {
      end = command.find("&&", begin);
      single.push_back(command.substr(begin, end - begin));
    }
  }
  return single;
}

std::vector<std::string> words(const std::string& command) {
  std::vector<std::string> result;
  char quote = 0;
  bool inside = false;
  for (const char letter : command) {
    if (quote != 0 ? letter == quote : letter == '\'' || letter == '"') {
      quote = quote == 0 ? letter : 0;
      continue;
    }
    if (quote == 0 && letter == ' ') {
      inside = false;
      continue;
    }
    if (!inside) {
      result.emplace_back();
    }
    inside = true;
    result.back() += letter;
  }
  return result;
}

}  // namespace vaeguard::docs
