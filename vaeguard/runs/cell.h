// A cell of a run as a value: what is computed from what, with a name and a digest of all that its numbers depend on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vaeguard/measures/record.h"
#include "vaeguard/plans/plan.h"

namespace vaeguard::runs {

/// An attack of a plan at one radius; or none, for the clean references.
struct Scenario {
  std::string attack = "clean";
  std::string norm = "none";
  double radius = 0.0;
  std::string attacker = "blind";
  std::int64_t restarts = 1;  // of the attack
  [[nodiscard]] bool clean() const { return attack == "clean"; }
  friend bool operator==(const Scenario&, const Scenario&) = default;
};

/// What one cell computes. Everything that it reads from other cells is named here: the attacked images, and the clean
/// cell whose scores detection compares with its own.
struct Cell {
  measures::CellKind kind = measures::CellKind::scenario;
  std::string name;           // "vae-encoder_skl-linf-0.1-hmc"; unique in its run
  std::string model = "vae";  // the plan's name for it
  Scenario scenario = {};     // the kinds smallest and distortion use only `attack`
  std::string defence = "none";
  std::int64_t restarts = 1;      // per reference: how many of the attack's restarts are defended
  std::string attacked_images;    // the name of the scenario's images; empty without an attack
  std::string clean_cell;         // the same defence on the clean references; empty without an attack
  std::vector<std::string> plan;  // the tables of the plan that define the cell, in canonical form
};

/// What all cells of one model share and all their numbers depend on.
struct Identity {
  std::uint64_t seed = 1;
  std::int64_t references = 0;
  std::string data;     // digest of the images
  std::string weights;  // digest of the model
  std::string backend;
  std::string precision;
};

/// Every cell of a plan in its order, model by model: the model itself, its samples by Inception features if the plan
/// sets a number of images for them, the scenarios (clean first) with each defence, smallest radii, distortion curves.
/// If there are several models, names begin with the model's.
std::vector<Cell> cells(const plans::Plan& plan);

/// One line for each thing that a cell's numbers depend on, always in the same order. Threads, batches and the date are
/// not among them.
std::string canonical_text(const Cell& cell, const Identity& identity);
/// The SHA-256 of that text.
std::string digest(const Cell& cell, const Identity& identity);

}  // namespace vaeguard::runs
