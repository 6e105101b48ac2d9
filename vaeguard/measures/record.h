// The records of a run: one measurement per row, the per-image values behind it, and curves along chains.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vaeguard::measures {

/// What a cell measures. All kinds but scenarios have tables of their own in reports.
enum class CellKind {
  scenario,    // an attack at a radius, or none, under a defence
  model,       // the model itself: likelihood, accuracy on the test set
  inception,   // the model's samples, by the features of the user's Inception file
  smallest,    // smallest radii of one attack
  distortion,  // distortion curves of one attack
};

/// The kind's word in records: "scenario".
std::string_view name(CellKind kind);
/// Throws Misuse, naming the nearest known word.
CellKind cell_kind(std::string_view name);

/// One number of a run with its uncertainty; a row of the table `measurements`, the columns in this order.
struct Measurement {
  std::string cell;  // "encoder_skl-linf-0.1-hmc", also the name of the arrays file
  CellKind kind = CellKind::scenario;
  std::string dataset;   // "mnist"
  std::string model;     // "vae"
  std::string attack;    // "clean", "noise", "encoder_skl", "classifier_ce"
  std::string norm;      // "linf"; "none" for clean
  double radius = 0.0;   // 0 for clean
  std::string attacker;  // what the attacker knew of the defence: "blind"
  std::string defence;   // "none", "hmc", "hmc_published"
  std::string estimate;  // which result of the defence: "draw" is one draw, "mean" the mean over draws, "reencoded" the
                         // code of its reconstruction, "vote" the class of most draws
  std::string restarts;  // of the attack: their "mean", or the "worst" for each reference
  std::string score;  // for detection, the score that separates attacked from clean images: "energy_drop"; else empty
  std::string quantile;  // for smallest radii: "median", "lower_quartile", ..; else empty
  std::string metric;    // "ms_ssim_kuzina22", "agreement", ...
  double value = 0.0;
  double standard_error = 0.0;  // over references: restarts of one image are not independent (column `stderr`)
  std::int64_t n = 0;           // references
  double gradients = 0.0;       // spent by the defence per image
  double seconds = 0.0;         // spent by the defence on all images of the cell
};

/// A metric of one attacked image, for histograms; a row of the table `items`.
struct Item {
  std::string cell;
  std::string estimate;  // as in Measurement
  std::string metric;
  std::int64_t reference = 0;  // position in the list of references
  std::int64_t restart = 0;
  double value = 0.0;
};

/// A sentence about a cell, what is wrong with its chains and what to do about it; a row of the table `notes`.
struct Note {
  std::string cell;
  std::string sentence;
};

/// A metric as a function of chain length; a row of the table `curves`.
struct CurvePoint {
  std::string cell;
  std::string estimate;  // as in Measurement
  std::string metric;
  double gradients = 0.0;  // spent per image so far
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
