// One function per kind of cell.
#include "vaeguard/runs/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "vaeguard/base/error.h"
#include "vaeguard/measures/detect.h"
#include "vaeguard/measures/distortion.h"
#include "vaeguard/measures/model_evaluation.h"
#include "vaeguard/measures/smallest.h"
#include "vaeguard/runs/attack_run.h"
#include "vaeguard/runs/attacked_images.h"
#include "vaeguard/runs/block_observer.h"
#include "vaeguard/runs/cell_arrays.h"
#include "vaeguard/runs/inference_blocks.h"
#include "vaeguard/runs/plan_references.h"

namespace vaeguard::runs {
namespace {

/// The part of the plan that a cell names.
template <typename Parts, typename Name>
const auto& named(const Parts& parts, const std::string& name, Name name_of) {
  const auto found = std::ranges::find(parts, name, name_of);
  if (found == parts.end()) {
    misuse("runs.executor", "the plan has no '{}' that a cell names", name);
  }
  return *found;
}

const plans::AttackPlan& attack_of(const plans::Plan& plan, const Cell& cell) {
  return named(plan.attacks, cell.scenario.attack, &plans::AttackPlan::name);
}

}  // namespace

measures::CellRecords Executor::run(const Cell& cell) {
  switch (cell.kind) {
    case measures::CellKind::model:
      return run_model(cell);
    case measures::CellKind::inception:
      return run_inception(cell);
    case measures::CellKind::scenario:
      return run_scenario(cell);
    case measures::CellKind::smallest:
      return run_smallest(cell);
    case measures::CellKind::distortion:
      return run_distortion(cell);
  }
  misuse("runs.executor", "the cell {} is of no known kind", cell.name);
}

measures::Measurement Executor::prototype(const Cell& cell) const {
  measures::Measurement m;
  m.kind = cell.kind;
  m.cell = cell.name;
  m.dataset = inputs_.plan.dataset.name;
  m.model = cell.model;
  m.attack = cell.scenario.attack;
  m.norm = cell.scenario.norm;
  m.radius = cell.scenario.radius;
  m.attacker = cell.scenario.attacker;
  m.defence = cell.defence;
  return m;
}

measures::CellRecords Executor::run_model(const Cell& cell) {
  observer_.message(fmt::format("measuring the model {}", cell.model));
  return measures::measure_model(inputs_.subject, inputs_.plan, inputs_.dataset, inputs_.distances.classifier(),
                                 prototype(cell), inputs_.options.threads, observer_);
}

measures::CellRecords Executor::run_inception(const Cell& cell) {
  observer_.message(fmt::format("measuring the FID of the model {}", cell.model));
  measures::CellRecords records;
  records.measurements =
      inputs_.distances.inception().measure(inputs_.subject.vae, measures::sample_key(inputs_.plan.seed),
                                            prototype(cell), inputs_.options.threads, observer_);
  return records;
}

// Attacked images are computed with the first cell of their scenario.
measures::Attacked Executor::attacked(const Cell& cell) {
  const measures::References& references = inputs_.references;
  if (cell.attacked_images.empty()) {
    return {references.images.pixels, references.encoding, references.mean_reconstruction};
  }
  return attacked_images(inputs_.folder.attacked_images(cell.attacked_images), inputs_.subject.vae,
                         inputs_.options.threads, [&] {
                           const std::int64_t rows = references.images.pixels.rows() * cell.scenario.restarts;
                           BlockObserver observer(observer_, cell.attacked_images, 0, rows, rows);
                           return run_attack(attack_of(inputs_.plan, cell), cell.scenario.radius, inputs_.plan.seed,
                                             inputs_.subject, references, inputs_.options.threads, observer);
                         });
}

measures::CleanScores Executor::clean_scores(const Cell& cell) const {
  measures::CleanScores scores;
  if (cell.clean_cell.empty()) {
    return scores;
  }
  if (!inputs_.store.finished(cell.clean_cell)) {
    misuse("runs.executor", "{} is compared with {}, whose records must be there first", cell.name, cell.clean_cell);
  }
  for (const std::string_view score : measures::detection_scores()) {
    scores.emplace(score, inputs_.store.items(cell.clean_cell, "mean", score));
  }
  return scores;
}

measures::CellRecords Executor::run_scenario(const Cell& cell) {
  const plans::DefencePlan& plan = named(inputs_.plan.defences, cell.defence, &plans::DefencePlan::name);
  const measures::CleanScores clean = clean_scores(cell);
  measures::Outcome outcome{.attacked = measures::first_restarts(attacked(cell), cell.scenario.restarts, cell.restarts),
                            .restarts = cell.restarts,
                            .inference = {}};
  const auto keys = defence_keys(inputs_.plan.seed, cell.defence, inputs_.references, cell.restarts);
  TimedInference timed = infer_in_blocks(
      *plans::make_defence(plan, cell.scenario.radius), plans::expected_cost(plan), inputs_.subject.vae,
      outcome.attacked.images, keys, inputs_.folder.blocks(cell.name), cell.name, inputs_.options.threads, observer_);
  outcome.inference = std::move(timed.inference);
  outcome.seconds = timed.seconds;
  write_cell_arrays(inputs_.folder.cell_arrays(cell.name), inputs_.subject, outcome);
  return measures::measure(inputs_.subject, inputs_.references, outcome, clean, prototype(cell),
                           inputs_.options.threads);
}

measures::CellRecords Executor::run_smallest(const Cell& cell) {
  const auto& plan = named(inputs_.plan.smallest, cell.scenario.attack,
                           [](const plans::SmallestPlan& one) -> const std::string& { return one.attack.name; });
  observer_.message(fmt::format("searching smallest radii, {}", cell.name));
  const auto found = run_smallest_radii(plan.attack, plan.search, inputs_.plan.seed, inputs_.subject,
                                        inputs_.references, inputs_.options.threads, observer_);
  return measures::measure_smallest(plan, found, prototype(cell));
}

measures::CellRecords Executor::run_distortion(const Cell& cell) {
  const auto& plan = named(inputs_.plan.distortions, cell.scenario.attack, &plans::AttackPlan::name);
  const auto curves = run_distortion_curves(plan, inputs_.plan.seed, inputs_.subject, inputs_.references,
                                            inputs_.options.threads, observer_);
  return measures::measure_distortion(plan, curves, prototype(cell));
}

}  // namespace vaeguard::runs
