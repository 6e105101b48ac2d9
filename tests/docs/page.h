// A page of documentation as its readers use it: blocks to copy, commands in the text, links to follow.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vaeguard::docs {

/// Where a piece stands, for a failing test: "docs/guide/train-a-model.md:32".
struct Piece {
  std::string text;
  std::string place;
};

struct Block : Piece {
  std::string language;  // "sh", "toml", "cpp", "python"; empty where the page names none
  std::string marker;    // NAME of a line <!-- NAME --> right before it
};

struct Page {
  std::filesystem::path file;
  std::vector<Block> blocks;  // without the indentation that they have as part of a list
  std::vector<Piece> spans;   // `code` in the text, a line break in it read as a space
  std::vector<Piece> links;   // targets of [text](target)
};

/// README.md and the others of the top, docs/guide, docs/design, docs/adr and docs/results.
std::vector<Page> all_pages();
/// Those whose commands and snippets a reader copies: README.md, CONTRIBUTING.md, HACKING.md and the guides.
std::vector<Page> pages_to_follow();

/// The commands of an `sh` block: comments dropped, lines that end in \ joined.
std::vector<std::string> commands(const std::string& block);
/// The words of a command, as a shell splits them; quotes are dropped.
std::vector<std::string> words(const std::string& command);

}  // namespace vaeguard::docs
