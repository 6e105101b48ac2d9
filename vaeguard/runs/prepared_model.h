// A model of a plan, ready to be attacked: given, read from its checkpoint, or trained into the run's folder.
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
  std::string weights;                          // their digest
  std::map<std::string, std::string> metadata;  // of the checkpoint, how it came about
};

/// Throws Misuse where the model does not take the data's images or its classifier has other classes.
PreparedModel prepare_model(const plans::Plan& plan, const plans::ModelPlan& model, const data::Dataset& dataset,
                            const RunOptions& options, const RunFolder& folder, Observer& observer);

}  // namespace vaeguard::runs
