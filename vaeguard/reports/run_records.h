// Everything a report is made from: the records of one run and the folder of its arrays.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "vaeguard/experiments/record.h"

namespace vaeguard::reports {

struct RunRecords {
  std::string name;  // of the run, the page's title
  std::vector<experiments::Measurement> measurements;
  std::vector<experiments::Item> items;
  std::vector<experiments::CurvePoint> curves;
  std::vector<experiments::Note> notes;
  std::string plan_text;                // TOML, as run
  std::string environment_json;         // machine, versions; shown flattened
  std::filesystem::path arrays_folder;  // <cell>.npz; cells without a file have no pictures
};

}  // namespace vaeguard::reports
