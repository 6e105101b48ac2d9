// The files of a run, and the facts on which its calls must agree.
#include "vaeguard/runs/run_folder.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/plans/plan_growth.h"
#include "vaeguard/runs/environment.h"

namespace vaeguard::runs {

RunFolder::RunFolder(std::filesystem::path root, std::string_view plan_text, Observer& observer)
    : root_(std::move(root)), plan_text_(plan_text) {
  const auto plan_file = root_ / "plan.toml";
  const std::string before = exists(plan_file) ? read_file(plan_file) : std::string(plan_text);
  if (const std::string change = plans::what_changed(before, plan_text); !change.empty()) {
    misuse("runs.run_folder", "{} holds a run of another plan: {}; choose another folder with --out, or delete it",
           root_.string(), change);
  }
  if (before != plan_text) {
    observer.message(fmt::format("{} goes on with a plan that has grown", root_.string()));
  }
  for (const char* folder : {"checkpoints", "arrays", "arrays/attacks", "arrays/partial"}) {
    create_directories(root_ / folder);
  }
  const auto file = root_ / "environment.json";
  const auto recorded = exists(file) ? nlohmann::json::parse(read_file(file), nullptr, false) : nlohmann::json();
  for (const auto& [name, value] : recorded.items()) {
    if (value.is_string()) {
      facts_.emplace(name, value.get<std::string>());
    }
  }
  for (const std::string& name : environment_names()) {
    facts_.erase(name);  // replaced by this call's build and machine
  }
}

void RunFolder::require(const std::string& name, const std::string& value) {
  const auto [known, added] = facts_.try_emplace(name, value);
  if (!added && known->second != value) {
    misuse("runs.run_folder",
           "{} has records with {} \"{}\", this call would add some with {}; choose another folder with --out",
           root_.string(), name, known->second, value);
  }
}

void RunFolder::note(const std::string& name, const std::string& value) { facts_[name] = value; }

void RunFolder::write() const {
  write_file_atomically(root_ / "plan.toml", plan_text_);
  write_file_atomically(root_ / "environment.json", environment_json(facts_));
}

std::filesystem::path RunFolder::checkpoint(const std::string& model) const {
  return root_ / "checkpoints" / (model + ".safetensors");
}
std::filesystem::path RunFolder::training_state(const std::string& model) const {
  return root_ / "checkpoints" / (model + "-training.safetensors");
}
std::filesystem::path RunFolder::references(const std::string& prefix) const {
  return root_ / "arrays" / (prefix + "references.npz");
}
std::filesystem::path RunFolder::latent_map(const std::string& prefix) const {
  return root_ / "arrays" / (prefix + "latent_map.npz");
}
std::filesystem::path RunFolder::attacked_images(const std::string& name) const {
  return root_ / "arrays" / "attacks" / (name + ".npz");
}
std::filesystem::path RunFolder::cell_arrays(const std::string& cell) const {
  return root_ / "arrays" / (cell + ".npz");
}
std::filesystem::path RunFolder::blocks(const std::string& cell) const { return root_ / "arrays" / "partial" / cell; }

}  // namespace vaeguard::runs
