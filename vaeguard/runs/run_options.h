// Where and how a run computes; the plan says what it computes.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "vaeguard/measures/measure.h"
#include "vaeguard/metrics/feature_extractor.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::runs {

/// A model in memory, used instead of a file named by the plan.
struct GivenModel {
  measures::Subject subject;
  std::string digest;  // of its weights: records of one run come from one model
};

struct RunOptions {
  std::filesystem::path out;               // the run's folder
  std::filesystem::path data_folder = {};  // see data/data_folder.h
  int threads = 1;
  std::string backend = "auto";
  networks::Precision gradients = networks::Precision::float32;          // of posterior energies; see models/vae.h
  std::shared_ptr<const metrics::FeatureExtractor> inception = nullptr;  // measures FID too, in a cell of its own
  std::string inception_digest = {};                                     // of the Inception file, for the records
  std::map<std::string, GivenModel> models = {};  // by name, instead of the plan's models of these names
};

}  // namespace vaeguard::runs
