// The cells of a run in the order of the page: scenarios (what was attacked, how far), and the defences tried on each.
#pragma once

#include <string>
#include <vector>

#include "vaeguard/reports/run_records.h"

namespace vaeguard::reports {

/// One defence under one scenario; `name` is the cell's name in records and of its arrays.
struct Cell {
  std::string name = {};
  std::string defence = {};
};

struct Scenario {
  std::string dataset;
  std::string model;
  std::string attack;
  std::string norm;
  double radius = 0.0;
  std::string attacker;
  std::vector<Cell> cells;  // "none" first
  bool one_of_several_models = false;

  /// "Encoder attack, L∞ radius 0.1", preceded by the model if the run has several. The attacker's knowledge is named
  /// by the table, if it differs.
  [[nodiscard]] std::string title() const;
  /// "encoder_skl-linf-0.1", likewise: unique in a run of one data set and attacker, used for files and ids.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] bool clean() const { return attack == "clean"; }
};

/// All scenarios: "clean" first, then attacks in order of first appearance, with radii ascending.
std::vector<Scenario> scenarios(const RunRecords& records);

/// Defences in order of first appearance among the scenarios, so that each keeps its colour on the whole page.
std::vector<std::string> defences(const std::vector<Scenario>& scenarios);

}  // namespace vaeguard::reports
