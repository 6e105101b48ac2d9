// Maps one cell of a run to its records: attacks, defends, searches, measures. Carries no state from cell to cell.
#pragma once

#include <map>
#include <string>

#include "vaeguard/measures/measure.h"
#include "vaeguard/measures/record.h"
#include "vaeguard/plans/plan.h"
#include "vaeguard/runs/cell.h"
#include "vaeguard/runs/run_folder.h"
#include "vaeguard/runs/run_options.h"
#include "vaeguard/runs/sample_distances.h"
#include "vaeguard/runs/store.h"

namespace vaeguard::runs {

/// What the cells of one model are computed from. All must outlive the executor.
struct CellInputs {
  const plans::Plan& plan;
  const RunOptions& options;
  const RunFolder& folder;
  const Store& store;  // with the cells that this one names
  const data::Dataset& dataset;
  const measures::Subject& subject;
  const measures::References& references;
  SampleDistances& distances;
};

class Executor {
 public:
  Executor(const CellInputs& inputs, Observer& observer) : inputs_(inputs), observer_(observer) {}

  /// Computes the cell's records and writes its arrays. Throws Misuse if the store lacks the clean cell that it names,
  /// Interrupted at a safe point.
  measures::CellRecords run(const Cell& cell);

 private:
  [[nodiscard]] measures::Measurement prototype(const Cell& cell) const;
  measures::CellRecords run_model(const Cell& cell);
  measures::CellRecords run_inception(const Cell& cell);
  measures::CellRecords run_scenario(const Cell& cell);
  measures::CellRecords run_smallest(const Cell& cell);
  measures::CellRecords run_distortion(const Cell& cell);
  measures::Attacked attacked(const Cell& cell);
  [[nodiscard]] measures::CleanScores clean_scores(const Cell& cell) const;

  CellInputs inputs_;
  Observer& observer_;
};

}  // namespace vaeguard::runs
