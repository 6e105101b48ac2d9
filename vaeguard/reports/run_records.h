// Everything a report is made from: the records of one run and the folder of its arrays.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "vaeguard/measures/record.h"

namespace vaeguard::reports {

struct RunRecords {
  std::string name;  // of the run; the page's title
  std::vector<measures::Measurement> measurements;
  std::vector<measures::Item> items;
  std::vector<measures::CurvePoint> curves;
  std::vector<measures::Note> notes;
  std::string plan_text;                // TOML, as run
  std::string environment_json;         // machine, versions; shown flattened
  std::filesystem::path arrays_folder;  // <cell>.npz; cells without a file have no pictures
};

}  // namespace vaeguard::reports
