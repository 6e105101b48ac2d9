// A cell of a run as a value: what is computed of what, under a name, with a digest of all that its numbers depend on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vaeguard/measures/record.h"
#include "vaeguard/plans/plan.h"

namespace vaeguard::runs {

/// An attack of a plan at one radius; or none, when the references are taken as they are.
struct Scenario {
  std::string attack = "clean";
  std::string norm = "none";
  double radius = 0.0;
  std::string attacker = "blind";
  std::int64_t restarts = 1;  // of the attack
  [[nodiscard]] bool clean() const { return attack == "clean"; }
  friend bool operator==(const Scenario&, const Scenario&) = default;
};

/// What one cell computes. Everything that it reads of other cells is named here: the attacked images, and the cell
/// whose scores detection compares its own with.
struct Cell {
  measures::CellKind kind = measures::CellKind::scenario;
  std::string name;           // "vae-encoder_skl-linf-0.1-hmc"; unique in its run
  std::string model = "vae";  // the plan's name for it
  Scenario scenario = {};     // of the kinds smallest and distortion only `attack` is used
  std::string defence = "none";
  std::int64_t restarts = 1;      // of each reference: those of the attack that the defence is given
  std::string attacked_images;    // the name of the scenario's images; empty where nothing is attacked
  std::string clean_cell;         // the same defence on the references themselves; empty where nothing is attacked
  std::vector<std::string> plan;  // the plan's tables that it follows, in canonical form
};

/// What all cells of one model share and every number depends on.
struct Identity {
  std::uint64_t seed = 1;
  std::int64_t references = 0;
  std::string data;     // digest of the images
  std::string weights;  // digest of the model
  std::string backend;
  std::string precision;
};

/// Every cell of a plan in its order: model by model; the model itself, its samples by Inception's features where the
/// plan has a number of images for them, the scenarios (unattacked first) with each defence, smallest radii, distortion
/// curves. Names begin with the model's where there are several.
std::vector<Cell> cells(const plans::Plan& plan);

/// One line for each thing that a cell's numbers depend on, always in the same order. Threads, batches and the time of
/// day are not among them.
std::string canonical_text(const Cell& cell, const Identity& identity);
/// The SHA-256 of that text.
std::string digest(const Cell& cell, const Identity& identity);

}  // namespace vaeguard::runs
