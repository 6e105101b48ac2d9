// The folder of a run: the places of its files, and recorded facts that a later call must not contradict.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "vaeguard/base/observer.h"

namespace vaeguard::runs {

/// plan.toml and environment.json of a run, and the places of its other files.
class RunFolder {
 public:
  /// Creates the folder. Throws Misuse if it holds a run of another plan (plans/plan_growth.h).
  RunFolder(std::filesystem::path root, std::string_view plan_text, Observer& observer);

  /// Records a fact about this run. Throws Misuse if an earlier call recorded another value under this name: the
  /// records of one run come from one seed, one set of images, one file of weights per model, and one backend and
  /// precision.
  void require(const std::string& name, const std::string& value);
  /// Records a fact that may change from call to call.
  void note(const std::string& name, const std::string& value);
  /// Writes plan.toml, and environment.json with build, machine and all facts, including those of earlier calls.
  /// Nothing is written before, so a refused call leaves the folder as it was.
  void write() const;

  [[nodiscard]] std::filesystem::path store() const { return root_ / "results.sqlite"; }
  [[nodiscard]] std::filesystem::path csv() const { return root_ / "measurements.csv"; }
  [[nodiscard]] std::filesystem::path checkpoint(const std::string& model) const;
  /// The state of an unfinished training.
  [[nodiscard]] std::filesystem::path training_state(const std::string& model) const;
  [[nodiscard]] std::filesystem::path references(const std::string& prefix) const;
  [[nodiscard]] std::filesystem::path latent_map(const std::string& prefix) const;
  [[nodiscard]] std::filesystem::path attacked_images(const std::string& name) const;
  [[nodiscard]] std::filesystem::path cell_arrays(const std::string& cell) const;
  /// The finished blocks of an unfinished cell.
  [[nodiscard]] std::filesystem::path blocks(const std::string& cell) const;

 private:
  std::filesystem::path root_;
  std::string plan_text_;
  std::map<std::string, std::string> facts_;
};

}  // namespace vaeguard::runs
