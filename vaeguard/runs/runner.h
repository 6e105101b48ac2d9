// Runs a plan: computes the cells that its folder lacks, so that a killed run goes on where it was.
#pragma once

#include "vaeguard/base/observer.h"
#include "vaeguard/plans/plan.h"
#include "vaeguard/runs/run_options.h"

namespace vaeguard::runs {

/// Trains or loads the models and computes every cell (cell.h) that is missing, then writes all records in the order of
/// the plan. Every finished cell, training step and block of chains is on disk; calling it again on the same folder
/// does the rest and gives the records of an unbroken run (`seconds` apart). So does a plan that has grown
/// (plans/plan_growth.h): only what it added is computed. Throws Misuse if the folder holds a run of another plan,
/// seed, backend, precision, data, weights or Inception file, such a file is given and the plan has no frechet_images,
/// a model does not take the data's images, or the plan asks for classes that a model or the data do not have;
/// Interrupted at a safe point when the observer asks.
void run_plan(const plans::Plan& plan, const RunOptions& options, Observer& observer);

}  // namespace vaeguard::runs
