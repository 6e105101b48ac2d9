// The commands of README and the guides: their options and files exist, and those that can run within seconds do run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "tests/cli/program.h"
#include "tests/docs/page.h"

namespace vaeguard::docs {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// Its help, and that of the options that all verbs share.
const std::string& help_of(const std::string& verb) {
  static std::map<std::string, std::string> pages;
  const auto [found, is_new] = pages.emplace(verb, "");
  if (is_new) {
    const auto folder = cli::fresh_folder();
    const cli::Ended own = cli::run(folder, {verb, "--help"});
    EXPECT_EQ(own.code, 0) << "there is no verb " << verb;
    found->second = own.output + cli::run(folder, {"--help"}).output;
  }
  return found->second;
}

bool has_option(const std::string& help, const std::string& option) {
  for (std::size_t at = help.find(option); at != std::string::npos; at = help.find(option, at + 1)) {
    const char after = help[std::min(at + option.size(), help.size() - 1)];
    if (after == ' ' || after == ',' || after == '\n') {
      return true;
    }
  }
  return false;
}

// CHECKPOINT stands for the reader's own.
bool is_placeholder(const std::string& word) {
  return std::ranges::all_of(word, [](char letter) { return (letter >= 'A' && letter <= 'Z') || letter == '_'; });
}

void expect_understood(const Words& command, const std::string& place) {
  SCOPED_TRACE(place);
  ASSERT_GE(command.size(), 2U);
  if (is_placeholder(command[1]) || command[1].starts_with("-")) {
    return;
  }
  const std::string& help = help_of(command[1]);
  for (const std::string& word : command) {
    const std::string option = word.substr(0, word.find('='));
    if (option.starts_with("--")) {
      EXPECT_TRUE(has_option(help, option)) << "vaeguard " << command[1] << " knows no " << option;
    }
    if (word.starts_with("plans/") || word.starts_with("zoo/") || word.starts_with("benchmarks/")) {
      EXPECT_TRUE(exists(fs::path(VAEGUARD_SOURCE_DIR) / word)) << word;
    }
  }
}

bool calls_program(const std::string& text) { return text.starts_with("vaeguard "); }

TEST(DocumentedCommands, NameOptionsAndFilesThatExist) {
  int checked = 0;
  for (const Page& page : pages_to_follow()) {
    for (const Piece& span : page.spans) {
      if (calls_program(span.text)) {
        expect_understood(words(span.text), span.place);
        ++checked;
      }
    }
    for (const Block& block : page.blocks) {
      for (const std::string& command : block.language == "sh" ? commands(block.text) : Words{}) {
        if (calls_program(command)) {
          expect_understood(words(command), block.place);
          ++checked;
        }
      }
    }
  }
  EXPECT_GT(checked, 10);
}

TEST(DocumentedCommands, NameToolsThatExist) {
  std::vector<Piece> texts;
  for (const Page& page : pages_to_follow()) {
    std::ranges::copy(page.spans, std::back_inserter(texts));
    for (const Block& block : page.blocks) {
      for (const std::string& command : block.language == "sh" ? commands(block.text) : Words{}) {
        texts.push_back({command, block.place});
      }
    }
  }
  int checked = 0;
  for (const Piece& text : texts) {
    if (text.text.starts_with("tools/") && text.text != "tools/") {
      const std::string tool = words(text.text)[0];
      const auto status = fs::status(fs::path(VAEGUARD_SOURCE_DIR) / tool);
      EXPECT_TRUE(is_regular_file(status)) << text.place << ": " << tool;
      ++checked;
    }
  }
  EXPECT_GT(checked, 5);
}

// Makes a command one of seconds: images drawn on the spot, few of them, one epoch.
Words made_small(Words command) {
  const auto set = [&](const std::string& option, const std::string& value) {
    const auto found = std::ranges::find(command, option);
    if (found == command.end()) {
      command.insert(command.end(), {option, value});
    } else {
      *std::next(found) = value;
    }
  };
  if (command[1] == "train") {
    set("--dataset", "shapes.toml");
    if (std::ranges::find(command, "--vae-from") == command.end()) {
      set("--epochs", "1");
    }
  } else if (command[1] == "attack") {
    set("--dataset", "shapes.toml");
    set("--references", "2");
  } else if (command[1] == "doctor") {
    set("--data", "none");
  }
  command.erase(command.begin());
  return command;
}

// The checkpoint that `vaeguard import` makes, and the file that describes the same model.
constexpr const char* kImported = "model.safetensors";
constexpr const char* kDescription = "model.toml";

// In place of a reader's own model, for the page that exports one.
constexpr std::string_view kTheirModel = R"(from torch import nn

class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean, self.log_variance = nn.Linear(784, 20), nn.Linear(784, 20)

    def forward(self, image):
        return self.mean(image.flatten(1)), self.log_variance(image.flatten(1))

class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.pixels = nn.Linear(20, 784)

    def forward(self, code):
        return self.pixels(code).sigmoid().view(code.size(0), 1, 28, 28)

class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

def load_vae():
    return Vae()
)";

// Runs a page's export where PyTorch is installed.
bool exports_model(const Block& block) {
  if (block.marker != "export" || std::system("/usr/bin/python3 -c 'import torch' 2> /dev/null") != 0) {
    return false;
  }
  std::ofstream("my_vae.py") << kTheirModel;
  std::ofstream("export.py") << block.text;
  EXPECT_EQ(std::system("/usr/bin/python3 -W ignore export.py"), 0) << block.place;
  return true;
}

// Empty where a command is run here, else why not.
std::string reason_not_to_run(const Words& command) {
  const auto says = [&](std::string_view word) { return std::ranges::find(command, word) != command.end(); };
  if (std::ranges::any_of(command, is_placeholder)) {
    return "leaves a word to the reader";
  }
  if (says("--inception")) {
    return "needs a file that only the reader may have";
  }
  if (command[1] == "bench") {
    return "measures for minutes";
  }
  if (command[1] == "run" && !says("plans/quickstart.toml")) {
    return "takes hours";
  }
  const bool imports = command[1] == "import";
  if ((imports || says(kImported)) && !fs::exists(imports ? "encoder.onnx" : kImported)) {
    return "needs what PyTorch exports";
  }
  if (says(kDescription) && !fs::exists("encoder.onnx")) {
    return "needs what PyTorch exports";
  }
  if (command[1] == "defend" && !fs::exists(command.at(3))) {
    return "needs images that no command before it made";
  }
  return "";
}

class DocumentedCommandsEndToEnd : public testing::Test {
 protected:
  // A folder like that of the repository, with shapes for data and a plan of seconds in the quickstart's place.
  void SetUp() override {
    folder_ = cli::fresh_folder();
    create_directories(folder_ / "plans");
    create_directory_symlink(fs::path(VAEGUARD_SOURCE_DIR) / "zoo", folder_ / "zoo");
    const std::string shapes = "layout = \"synthetic\"\ntrain = 300\nvalidation = 50\ntest = 100\n";
    std::ofstream(folder_ / "shapes.toml") << "[dataset]\n" << shapes;
    std::ofstream(folder_ / "plans" / "quickstart.toml")
        << "references = 10\n[dataset]\n"
        << shapes
        << "[model]\ncheckpoint = \"zoo/mnist_vae.safetensors\"\n[evaluation]\nnll_images = 2\nnll_draws = 4\n"
        << "[[attack]]\ngoal = \"encoder_skl\"\noptimiser = \"noise\"\nradii = [0.1]\n[[defence]]\npreset = \"none\"\n";
    before_ = fs::current_path();
    fs::current_path(folder_);
  }
  void TearDown() override { fs::current_path(before_); }

  fs::path folder_;
  fs::path before_;
};

TEST_F(DocumentedCommandsEndToEnd, OfSecondsSucceed) {
  std::set<std::string> ran;
  bool exported = false;
  for (const Page& page : pages_to_follow()) {
    for (const Block& block : page.blocks) {
      exported = exports_model(block) || exported;
      if (block.marker == "model") {
        std::ofstream(kDescription) << block.text;
      }
      for (const std::string& command : block.language == "sh" ? commands(block.text) : Words{}) {
        if (!calls_program(command) || !reason_not_to_run(words(command)).empty()) {
          continue;
        }
        const cli::Ended ended = cli::run(folder_, made_small(words(command)));
        EXPECT_EQ(ended.code, 0) << block.place << ": " << command << "\n" << ended.errors;
        ran.insert(words(command)[1]);
      }
    }
  }
  EXPECT_THAT(ran, testing::IsSupersetOf({"run", "train", "attack", "defend", "list"}));
  EXPECT_EQ(ran.contains("import"), exported);
  EXPECT_EQ(ran.contains("check"), exported);
}

}  // namespace
}  // namespace vaeguard::docs
