// Where and how a run computes; what it computes is the plan's.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "vaeguard/measures/measure.h"
#include "vaeguard/metrics/feature_extractor.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::runs {

/// A model that is at hand already, no file of a plan's.
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
  std::string inception_digest = {};                                     // of its file, for the record
  std::map<std::string, GivenModel> models = {};  // instead of what the plan says of its models of these names
};

}  // namespace vaeguard::runs
