// Runs a plan: finishes what is missing in its folder, so that a killed run goes on where it was.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "vaeguard/base/observer.h"
#include "vaeguard/measures/measure.h"
#include "vaeguard/metrics/feature_extractor.h"
#include "vaeguard/plans/plan.h"
#include "vaeguard/runs/attack_run.h"

namespace vaeguard::runs {

struct RunOptions {
  std::filesystem::path out;          // the run's folder
  std::filesystem::path data_folder;  // see data/data_folder.h
  int threads = 1;
  std::string backend = "auto";
  networks::Precision gradients = networks::Precision::float32;          // of posterior energies; see models/vae.h
  std::shared_ptr<const metrics::FeatureExtractor> inception = nullptr;  // measures FID too, in a cell of its own
  std::string inception_digest = {};                                     // of its file, for the record
};

/// Trains or loads the model, attacks, defends, measures. Every finished cell, training step and block of chains is on
/// disk; calling it again on the same folder does the rest and gives the records of an unbroken run (`seconds` apart).
/// So does a plan that has grown (plan_growth.h): only what it added is computed. Throws Misuse if the folder holds a
/// run of another plan, backend, precision, data, weights or Inception file, or such a file is given and the plan has
/// no frechet_images; Interrupted at a safe point when the observer asks.
void run_plan(const plans::Plan& plan, const RunOptions& options, Observer& observer);

/// `number` test images, stratified by class, and what is known of them: those that every plan with this seed and
/// number has.
measures::References plan_references(std::uint64_t seed, std::int64_t number, const measures::Subject& subject,
                                     const data::Dataset& dataset, int threads);

/// The keys of a defence for each reference and restart; the same at every radius, so that cells share their noise.
std::vector<Key> defence_keys(std::uint64_t seed, std::string_view defence, const measures::References& references,
                              std::int64_t restarts);

}  // namespace vaeguard::runs
