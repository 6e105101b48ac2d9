// What a run leaves behind: one measurement per row, the per-image values behind it, and chain statistics.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vaeguard::measures {

/// What a cell is of. All but scenarios have tables of their own in reports.
enum class CellKind {
  scenario,    // an attack at a radius, or none, under a defence
  model,       // the model itself: likelihood, accuracy on the test set
  inception,   // its samples by the features of a file of the user's
  smallest,    // smallest radii of one attack
  distortion,  // distortion curves of one attack
};

/// The kind's word in records: "scenario".
std::string_view name(CellKind kind);
/// Throws Misuse that names the nearest known word.
CellKind cell_kind(std::string_view name);

/// One number of a run with its uncertainty; a row of the table `measurements`, the columns in this order.
struct Measurement {
  std::string cell;  // "encoder_skl-linf-0.1-hmc", names the arrays file too
  CellKind kind = CellKind::scenario;
  std::string dataset;   // "mnist"
  std::string model;     // "vae"
  std::string attack;    // "clean", "noise", "encoder_skl", "classifier_ce"
  std::string norm;      // "linf"; "none" for clean
  double radius = 0.0;   // 0 for clean
  std::string attacker;  // what the attack knew: "blind"
  std::string defence;   // "none", "hmc", "hmc_published"
  std::string estimate;  // what of the defence is measured: "draw" is one draw, "mean" the mean over draws, "reencoded"
                         // the code of its reconstruction, "vote" the class that most draws have
  std::string restarts;  // of the attack: their "mean", or the "worst" for each reference
  std::string score;     // of detection, what tells attacked images from clean ones: "energy_drop"; else empty
  std::string quantile;  // of smallest radii: "median", "lower_quartile", ..; else empty
  std::string metric;    // "ms_ssim_kuzina22", "agreement", ...
  double value = 0.0;
  double standard_error = 0.0;  // over references: restarts of one image are not independent (column `stderr`)
  std::int64_t n = 0;           // references
  double gradients = 0.0;       // spent by the defence on one image
  double seconds = 0.0;         // of the defence, for all images of the cell
};

/// A metric of one attacked image, behind the histograms; a row of the table `items`.
struct Item {
  std::string cell;
  std::string estimate;  // as in Measurement
  std::string metric;
  std::int64_t reference = 0;  // position in the list of references
  std::int64_t restart = 0;
  double value = 0.0;
};

/// A sentence on a cell, what is wrong with its chains and what to do about it; a row of the table `notes`.
struct Note {
  std::string cell;
  std::string sentence;
};

/// A metric as the chain goes on; a row of the table `curves`.
struct CurvePoint {
  std::string cell;
  std::string estimate;  // as in Measurement
  std::string metric;
  double gradients = 0.0;  // spent on one image so far
  double value = 0.0;
  double standard_error = 0.0;
  std::int64_t n = 0;
};

/// All rows of one cell.
struct CellRecords {
  std::vector<Measurement> measurements;
  std::vector<Item> items;
  std::vector<CurvePoint> curves;
  std::vector<Note> notes = {};
};

}  // namespace vaeguard::measures
