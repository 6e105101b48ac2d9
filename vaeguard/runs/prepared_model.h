// A model of a plan, ready to be attacked: given by the caller, read from its checkpoint, or trained into the folder.
#pragma once

#include <map>
#include <string>

#include "vaeguard/base/observer.h"
#include "vaeguard/data/dataset.h"
#include "vaeguard/measures/measure.h"
#include "vaeguard/plans/plan.h"
#include "vaeguard/runs/run_folder.h"
#include "vaeguard/runs/run_options.h"

namespace vaeguard::runs {

struct PreparedModel {
  measures::Subject subject;
  std::string weights;                          // digest of the weights
  std::map<std::string, std::string> metadata;  // of the checkpoint: how it was made
};

/// Throws Misuse if the model does not take the data's images or its classifier has other classes than the data.
PreparedModel prepare_model(const plans::Plan& plan, const plans::ModelPlan& model, const data::Dataset& dataset,
                            const RunOptions& options, const RunFolder& folder, Observer& observer);

}  // namespace vaeguard::runs
