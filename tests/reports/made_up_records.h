// Made-up records for the tests of reports.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "vaeguard/reports/run_records.h"

namespace vaeguard::reports {

struct MadeUpCell {
  std::string attack = "encoder_skl";
  double radius = 0.1;
  std::string defence = "none";

  [[nodiscard]] std::string name() const {
    return fmt::format("{}-{}-{}-{}", attack, attack == "clean" ? "none" : "linf", radius, defence);
  }
};

/// `protocol`: estimate and restarts, "mean/worst".
inline measures::Measurement made_up(const MadeUpCell& cell, const std::string& protocol, const std::string& metric,
                                     double value, double standard_error = 0.01) {
  return {.cell = cell.name(),
          .kind = measures::CellKind::scenario,
          .dataset = "mnist",
          .model = "vae",
          .attack = cell.attack,
          .norm = cell.attack == "clean" ? "none" : "linf",
          .radius = cell.radius,
          .attacker = "blind",
          .defence = cell.defence,
          .estimate = protocol.substr(0, protocol.find('/')),
          .restarts = protocol.substr(protocol.find('/') + 1),
          .score = {},
          .quantile = {},
          .metric = metric,
          .value = value,
          .standard_error = standard_error,
          .n = 50,
          .gradients = cell.defence == "none" ? 0.0 : 15750.0,
          .seconds = 1.0};
}

/// A clean and an attacked scenario, each undefended and defended by HMC, with items and curves.
inline RunRecords made_up_run() {
  RunRecords run;
  run.name = "made up";
  run.plan_text = "seed = 1\n";
  run.environment_json = R"({"machine": {"cores": 2}, "compiler": "gcc"})";
  for (const std::string protocol : {"draw/mean", "mean/mean", "mean/worst"}) {
    for (const MadeUpCell& cell : {MadeUpCell{"encoder_skl", 0.1, "hmc"}, MadeUpCell{"encoder_skl", 0.1, "none"},
                                   MadeUpCell{"clean", 0.0, "none"}, MadeUpCell{"clean", 0.0, "hmc"}}) {
      const bool helped = cell.attack == "clean" || cell.defence == "hmc";
      run.measurements.push_back(made_up(cell, protocol, "ms_ssim_kuzina22", helped ? 0.88 : 0.7));
      run.measurements.push_back(made_up(cell, protocol, "agreement", helped ? 0.5 : 0.0, helped ? 0.07 : 0.0));
    }
  }
  for (const std::string defence : {"none", "hmc"}) {
    const MadeUpCell cell{.defence = defence};
    for (std::int64_t i = 0; i < 20; ++i) {
      const double value = static_cast<double>(i) + (defence == "none" ? 100.0 : 0.0);
      run.items.push_back({cell.name(), "draw", "log_posterior_ratio", i, 0, value});
      if (defence == "hmc") {
        run.items.push_back({cell.name(), "mean", "acceptance", i, 0, 0.8 + 0.001 * static_cast<double>(i)});
        run.items.push_back({cell.name(), "mean", "step_size", i, 0, 0.1 + 0.001 * static_cast<double>(i)});
        run.items.push_back({cell.name(), "mean", "divergences", i, 0, i < 3 ? 2.0 : 0.0});
      }
    }
  }
  for (const double gradients : {0.0, 21.0, 210.0, 2100.0}) {
    run.curves.push_back(
        {MadeUpCell{.defence = "hmc"}.name(), "draw", "ms_ssim_kuzina22", gradients, 0.7 + gradients / 1e4, 0.01, 50});
  }
  run.notes = {{MadeUpCell{.defence = "hmc"}.name(), "Draw more."}, {MadeUpCell{.defence = "hmc"}.name(), "Wait."}};
  return run;
}

}  // namespace vaeguard::reports
