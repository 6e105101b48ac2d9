// The verbs of the command line: each adds its options to the program and says what to do when it is called.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "vaeguard/base/observer.h"
#include "vaeguard/networks/network.h"

namespace vaeguard::cli {

/// Options that every verb understands.
struct Common {
  int threads = 0;         // 0: VAEGUARD_THREADS, else all processors
  std::int64_t seed = -1;  // -1: the plan's or the verb's own
  std::string backend = "auto";
  std::string precision = "fp32";  // of posterior gradients; "mixed": bfloat16
  std::string data;                // folder of data sets
  bool quiet = false;
  Observer* observer = &silent_observer();

  [[nodiscard]] int thread_count() const;
  [[nodiscard]] networks::Precision gradient_precision() const;
  [[nodiscard]] std::uint64_t seed_or(std::uint64_t fallback) const;
};

/// Adds a verb: its callback runs after everything is parsed.
using AddVerb = void(CLI::App& program, Common& common);
AddVerb add_run;
AddVerb add_train;
AddVerb add_attack;
AddVerb add_defend;
AddVerb add_report;
AddVerb add_import;
AddVerb add_check;
AddVerb add_export;
AddVerb add_list;
AddVerb add_doctor;
AddVerb add_bench;

}  // namespace vaeguard::cli
