// Runs a plan: computes the cells that its folder lacks, so that a killed run resumes where it stopped.
#pragma once

#include "vaeguard/base/observer.h"
#include "vaeguard/plans/plan.h"
#include "vaeguard/runs/run_options.h"

namespace vaeguard::runs {

/// Trains or loads the models and computes every cell (cell.h) that is missing, then writes all records in plan order.
/// Cells and blocks of chains are saved as they finish, and training at intervals; another call on the same folder
/// completes the rest and gives the records of an uninterrupted run (except `seconds`). For a plan that has grown
/// (plans/plan_growth.h), only the additions are computed. Throws Misuse if the folder holds a run of another plan,
/// seed, backend, precision, data, weights or Inception file, if such a file is given but the plan has no
/// frechet_images, if a model does not take the data's images, or if the plan needs classes that a model or the data
/// lack; Interrupted at a safe point if the observer asks for it.
void run_plan(const plans::Plan& plan, const RunOptions& options, Observer& observer);

}  // namespace vaeguard::runs
