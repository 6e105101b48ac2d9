// Options of the command line on a model from outside, for verbs that take its files: what plans/pair_plan.h reads too.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/choice_options.h"
#include "vaeguard/importers/import_options.h"

namespace vaeguard::cli {

struct WrittenPair {
  WrittenOptions likelihood;
  std::string layout = "automatic";
  std::string decoder_gives = "automatic";
  std::vector<std::string> encoder_outputs;
  std::string decoder_output;
  std::string image;
  std::vector<double> pixels{0.0, 1.0};
  std::vector<double> encoder_pixels;
};

/// `when` says when the image must be given. Returns the option of the likelihood.
CLI::Option* add_pair_options(CLI::App& app, WrittenPair& pair, std::string_view when);

/// The likelihood must have been given.
importers::ImportOptions import_options(const WrittenPair& pair, std::string_view place);

}  // namespace vaeguard::cli
