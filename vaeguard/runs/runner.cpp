// The stages of a run and where each leaves its result.
#include "vaeguard/runs/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/base/npz.h"
#include "vaeguard/data/checksum.h"
#include "vaeguard/data/split.h"
#include "vaeguard/measures/detect.h"
#include "vaeguard/measures/distortion.h"
#include "vaeguard/measures/model_evaluation.h"
#include "vaeguard/measures/sample_distance.h"
#include "vaeguard/measures/smallest.h"
#include "vaeguard/plans/plan_growth.h"
#include "vaeguard/runs/cell_arrays.h"
#include "vaeguard/runs/environment.h"
#include "vaeguard/runs/inference_file.h"
#include "vaeguard/runs/store.h"
#include "vaeguard/runs/subject.h"

namespace vaeguard::runs {
namespace {

// Gradients after which a block of chains is saved: a minute or two of the published chain.
constexpr double kBlockGradients = 600'000.0;
constexpr std::int64_t kBlockRows = 64;  // blocks are multiples of this

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Shows the progress of one block as a share of the whole cell.
class BlockObserver : public Observer {
 public:
  BlockObserver(Observer& parent, std::string task, std::int64_t first, std::int64_t count, std::int64_t total)
      : parent_(parent), task_(std::move(task)), first_(first), count_(count), total_(total) {}
  void progress(std::string_view, std::int64_t done, std::int64_t of, std::string_view detail) override {
    // In thousandths of an image, since one image of a long chain takes seconds.
    parent_.progress(task_, 1000 * first_ + 1000 * count_ * done / std::max<std::int64_t>(of, 1), 1000 * total_,
                     detail);
  }
  void message(std::string_view text) override { parent_.message(text); }
  [[nodiscard]] bool interrupted() const override { return parent_.interrupted(); }

 private:
  Observer& parent_;
  std::string task_;
  std::int64_t first_;
  std::int64_t count_;
  std::int64_t total_;
};

// One attack at one radius; `clean` has no attack plan.
struct Scenario {
  std::string attack = "clean";
  std::string norm = "none";
  double radius = 0.0;
  std::int64_t restarts = 1;
  const plans::AttackPlan* plan = nullptr;

  [[nodiscard]] std::string name() const { return fmt::format("{}-{}-{}", attack, norm, radius); }
};

class Runner {
 public:
  Runner(const plans::Plan& plan, const RunOptions& options, Observer& observer)
      : plan_(plan), options_(options), observer_(observer) {}

  void run() {
    if (options_.inception != nullptr && plan_.evaluation.frechet_images < 2) {
      misuse("runs.runner",
             "FID needs a number of images: the plan's [evaluation] frechet_images must be at least 2, got {}",
             plan_.evaluation.frechet_images);
    }
    for (const plans::ModelPlan& model : plan_.models) {
      if (!model.checkpoint.empty()) {
        read_checkpoint(model);  // no hours for one model before another is refused
      }
    }
    prepare_folder();
    store_.emplace(options_.out / "results.sqlite", Store::Access::write);
    dataset_ = plans::load_dataset(plan_.dataset, options_.data_folder, options_.threads);
    for (const plans::ModelPlan& model : plan_.models) {
      run_model(model);
    }
    export_csv();
  }

 private:
  void run_model(const plans::ModelPlan& model) {
    model_ = &model;
    const models::Checkpoint checkpoint = checkpoint_for_run();
    subject_.emplace(make_subject(checkpoint, dataset_, checkpoint_place_, options_.backend, options_.gradients));
    tell_refusal(subject_->vae, observer_);
    tell_other_data(checkpoint, dataset_, checkpoint_place_, observer_);
    write_environment(checkpoint);
    measure_model_itself();
    measure_fid();
    if (const auto map = options_.out / "arrays" / (prefix() + "latent_map.npz");
        subject_->vae.latent_size() == 2 && !exists(map)) {
      write_latent_map(map, *subject_, dataset_.test, options_.threads);
    }
    references_.emplace(plan_references(plan_.seed, plan_.references, *subject_, dataset_, options_.threads));
    for (const Scenario& scenario : scenarios()) {
      run_scenario(scenario);
    }
    for (const plans::SmallestPlan& smallest : plan_.smallest) {
      run_smallest(smallest);
    }
    for (const plans::AttackPlan& attack : plan_.distortions) {
      run_distortion(attack);
    }
  }

  void measure_model_itself() {
    const auto cell = measures::cell_apart(prefix(), measures::CellKind::model);
    if (store_->finished(cell)) {
      return;
    }
    observer_.message(fmt::format("measuring the model {}", model_->name));
    if (plan_.evaluation.frechet_images > 0 && !classifier_distance_) {
      observer_.message("learning features for the Frechet distance");
      classifier_distance_ = sample_distance(measures::learn_features(dataset_, options_.threads, observer_));
    }
    store_->write(cell, measures::measure_model(*subject_, plan_, dataset_,
                                                classifier_distance_ ? &*classifier_distance_ : nullptr,
                                                measures::model_prototype(cell, plan_.dataset.name, model_->name),
                                                options_.threads, observer_));
  }

  // Apart from the rest, so that a finished run can be given it later.
  void measure_fid() {
    const auto cell = measures::cell_apart(prefix(), measures::CellKind::inception);
    if (options_.inception == nullptr || store_->finished(cell)) {
      return;
    }
    observer_.message(fmt::format("measuring the FID of the model {}", model_->name));
    if (!inception_distance_) {
      inception_distance_ = sample_distance(options_.inception);
    }
    measures::CellRecords records;
    records.measurements = inception_distance_->measure(
        subject_->vae, measures::sample_key(plan_.seed),
        measures::model_prototype(cell, plan_.dataset.name, model_->name), options_.threads, observer_);
    store_->write(cell, records);
  }

  [[nodiscard]] measures::SampleDistance sample_distance(
      std::shared_ptr<const metrics::FeatureExtractor> extractor) const {
    return {std::move(extractor), dataset_, plan_.evaluation.frechet_images, options_.threads, observer_};
  }

  // Cells carry the model's name only where there are several.
  [[nodiscard]] std::string prefix() const { return plan_.models.size() > 1 ? model_->name + "-" : ""; }

  void prepare_folder() {
    const auto plan_file = options_.out / "plan.toml";
    const std::string before = exists(plan_file) ? read_file(plan_file) : plan_.text;
    if (const std::string change = plans::what_changed(before, plan_.text); !change.empty()) {
      misuse("runs.runner", "{} holds a run of another plan: {}; choose another folder with --out, or delete it",
             options_.out.string(), change);
    }
    if (before != plan_.text) {
      observer_.message(fmt::format("{} goes on with a plan that has grown", options_.out.string()));
    }
    create_directories(options_.out / "checkpoints");
    create_directories(options_.out / "arrays");
    write_file_atomically(plan_file, plan_.text);
    read_recorded_environment();
  }

  models::Checkpoint checkpoint_for_run() {
    if (!model_->checkpoint.empty()) {
      checkpoint_place_ = model_->checkpoint.string();
      return read_checkpoint(*model_);
    }
    const auto file = options_.out / "checkpoints" / (model_->name + ".safetensors");
    checkpoint_place_ = file.string();
    if (!exists(file)) {
      const auto state = options_.out / "checkpoints" / (model_->name + "-training.safetensors");
      models::save_checkpoint(make_checkpoint(*model_, plan_.seed, dataset_, state, options_.threads, observer_), file);
      remove(state);
    }
    return models::load_checkpoint(file);
  }

  // What is known so far: each model adds what its checkpoint says.
  void write_environment(const models::Checkpoint& checkpoint) {
    const std::string of_model = plan_.models.size() > 1 ? fmt::format("model {} ", model_->name) : "model ";
    environment_["data_digest"] = dataset_.digest;
    environment_["threads"] = std::to_string(options_.threads);
    environment_["backend used"] = subject_->vae.generative().backend();
    environment_["precision used"] = subject_->vae.mixed() ? "mixed" : "fp32";
    environment_[of_model + "weights"] = "sha256 " + data::sha256_of_file(checkpoint_place_);
    for (const auto& [key, value] : checkpoint.metadata) {
      environment_[of_model + key] = value;
    }
    if (options_.inception != nullptr) {
      environment_["inception"] = "sha256 " + options_.inception_digest;
    }
    keep_to_the_same({"data_digest", "backend used", "precision used", "inception", of_model + "weights"});
    for (const auto& [key, value] : recorded_) {
      if (key.starts_with("model ")) {
        environment_.try_emplace(key, value);  // of models that this call has not reached
      }
    }
    write_file_atomically(options_.out / "environment.json", environment_json(environment_));
  }

  void read_recorded_environment() {
    const auto file = options_.out / "environment.json";
    const auto before = exists(file) ? nlohmann::json::parse(read_file(file), nullptr, false) : nlohmann::json();
    for (const auto& [key, value] : before.items()) {
      if (value.is_string()) {
        recorded_.emplace(key, value.get<std::string>());
      }
    }
  }

  // Records of one run come from one set of images, one file of weights a model and one way of computing; what only an
  // earlier call had stays.
  void keep_to_the_same(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      const auto before = recorded_.find(key);
      if (before == recorded_.end()) {
        continue;
      }
      const std::string& now = environment_.try_emplace(key, before->second).first->second;
      if (before->second != now) {
        misuse("runs.runner",
               "{} has records with {} \"{}\", this call would add some with {}; choose another folder with --out",
               options_.out.string(), key, before->second, now);
      }
    }
  }

  [[nodiscard]] std::vector<Scenario> scenarios() const {
    std::vector<Scenario> result{{}};
    for (const plans::AttackPlan& attack : plan_.attacks) {
      for (const double radius : attack.radii) {
        result.push_back({attack.name, std::string(attacks::name(attack.norm)), radius, attack.restarts, &attack});
      }
    }
    return result;
  }

  [[nodiscard]] bool wants(const Scenario& scenario, const plans::DefencePlan& defence) const {
    return scenario.plan == nullptr || scenario.plan->defences.empty() ||
           std::ranges::find(scenario.plan->defences, defence.name) != scenario.plan->defences.end();
  }

  void run_scenario(const Scenario& scenario) {
    std::vector<const plans::DefencePlan*> missing;
    for (const plans::DefencePlan& defence : plan_.defences) {
      if (wants(scenario, defence) && !store_->finished(cell_name(scenario, defence))) {
        missing.push_back(&defence);
      }
    }
    if (missing.empty()) {
      return;
    }
    const Matrix adversarial = attacked_images(scenario);
    for (const plans::DefencePlan* defence : missing) {
      run_cell(scenario, *defence, adversarial);
    }
  }

  [[nodiscard]] std::string cell_name(const Scenario& scenario, const plans::DefencePlan& defence) const {
    return fmt::format("{}{}-{}", prefix(), scenario.name(), defence.name);
  }

  // Of a cell that stands apart from scenarios; its plan fills in the rest.
  [[nodiscard]] measures::Measurement prototype_of(const plans::AttackPlan& attack, measures::CellKind kind) const {
    measures::Measurement prototype;
    prototype.cell = measures::cell_apart(prefix() + attack.name + "-", kind);
    prototype.dataset = plan_.dataset.name;
    prototype.model = model_->name;
    return prototype;
  }

  void run_smallest(const plans::SmallestPlan& smallest) {
    const measures::Measurement prototype = prototype_of(smallest.attack, measures::CellKind::smallest);
    if (store_->finished(prototype.cell)) {
      return;
    }
    observer_.message(fmt::format("searching smallest radii, {}", prototype.cell));
    const auto found = run_smallest_radii(smallest.attack, smallest.search, plan_.seed, *subject_, *references_,
                                          options_.threads, observer_);
    store_->write(prototype.cell, measures::measure_smallest(smallest, found, prototype));
    observer_.message(fmt::format("{} done", prototype.cell));
  }

  void run_distortion(const plans::AttackPlan& attack) {
    const measures::Measurement prototype = prototype_of(attack, measures::CellKind::distortion);
    if (store_->finished(prototype.cell)) {
      return;
    }
    const auto curves = run_distortion_curves(attack, plan_.seed, *subject_, *references_, options_.threads, observer_);
    store_->write(prototype.cell, measures::measure_distortion(attack, curves, prototype));
    observer_.message(fmt::format("{} done", prototype.cell));
  }

  // The attacked images, computed once and kept.
  Matrix attacked_images(const Scenario& scenario) {
    if (scenario.plan == nullptr) {
      return references_->images.pixels;
    }
    const auto file = options_.out / "arrays" / "attacks" / (prefix() + scenario.name() + ".npz");
    if (!exists(file)) {
      BlockObserver observer(observer_, scenario.name(), 0, references_->images.pixels.rows() * scenario.restarts,
                             references_->images.pixels.rows() * scenario.restarts);
      const auto result =
          run_attack(*scenario.plan, scenario.radius, plan_.seed, *subject_, *references_, options_.threads, observer);
      create_directories(file.parent_path());
      write_npz(file, {{"x_adv", to_array(result.adversarial)}, {"objective", to_array(result.objective)}});
    }
    return matrix_from(read_npz(file), "x_adv", file.string());
  }

  void run_cell(const Scenario& scenario, const plans::DefencePlan& defence, const Matrix& adversarial) {
    const std::string cell = cell_name(scenario, defence);
    const std::int64_t restarts =
        defence.restarts > 0 ? std::min(defence.restarts, scenario.restarts) : scenario.restarts;
    measures::Outcome outcome{first_restarts(adversarial, scenario.restarts, restarts), restarts, {}, 0.0};
    outcome.inference = infer_in_blocks(cell, defence, scenario.radius, outcome, outcome.seconds);
    measures::Measurement prototype;
    prototype.cell = cell;
    prototype.dataset = plan_.dataset.name;
    prototype.model = model_->name;
    prototype.attack = scenario.attack;
    prototype.norm = scenario.norm;
    prototype.radius = scenario.radius;
    prototype.attacker = "blind";
    prototype.defence = defence.name;
    write_cell_arrays(options_.out / "arrays" / (cell + ".npz"), *subject_, *references_, outcome, options_.threads);
    measures::CellRecords records = measures::measure(*subject_, *references_, outcome, prototype, options_.threads);
    add_detection(scenario, defence, prototype, records);
    store_->write(cell, records);
    remove_all(partial_folder(cell));
    observer_.message(fmt::format("{} done", cell));
  }

  // Against the clean cell of the same defence, which every run measures first.
  void add_detection(const Scenario& scenario, const plans::DefencePlan& defence, measures::Measurement prototype,
                     measures::CellRecords& records) const {
    if (scenario.plan == nullptr || records.measurements.empty()) {
      return;
    }
    const std::string clean_cell = cell_name({}, defence);
    prototype.gradients = records.measurements.front().gradients;
    prototype.seconds = records.measurements.front().seconds;
    for (const std::string_view score : measures::detection_scores()) {
      std::vector<measures::Item> attacked;
      std::ranges::copy_if(records.items, std::back_inserter(attacked),
                           [&](const measures::Item& item) { return item.metric == score && item.protocol == "mean"; });
      std::ranges::move(
          measures::measure_detection(score, store_->items(clean_cell, "mean", score), attacked, prototype),
          std::back_inserter(records.measurements));
    }
  }

  // The rows of the first `kept` of `restarts` restarts of each reference.
  static Matrix first_restarts(const Matrix& images, std::int64_t restarts, std::int64_t kept) {
    std::vector<std::int64_t> rows;
    for (std::int64_t row = 0; row < images.rows(); ++row) {
      if (row % restarts < kept) {
        rows.push_back(row);
      }
    }
    return images.gather(rows);
  }

  [[nodiscard]] std::filesystem::path partial_folder(const std::string& cell) const {
    return options_.out / "arrays" / "partial" / cell;
  }

  // Blocks of images go to disk as they finish, and always come back from there: a resumed run sees the same bits.
  defences::Inference infer_in_blocks(const std::string& cell, const plans::DefencePlan& plan, double radius,
                                      const measures::Outcome& outcome, double& seconds) {
    const Matrix& images = outcome.adversarial;
    const auto defence = plans::make_defence(plan, radius);
    const auto keys = defence_keys(plan_.seed, plan.name, *references_, outcome.restarts);
    const auto blocks =
        static_cast<std::int64_t>(kBlockGradients / plans::expected_cost(plan) / static_cast<double>(kBlockRows));
    const std::int64_t rows = std::max<std::int64_t>(1, blocks) * kBlockRows;
    create_directories(partial_folder(cell));
    defences::Inference whole;
    for (std::int64_t first = 0; first < images.rows(); first += rows) {
      const std::int64_t count = std::min(rows, images.rows() - first);
      const auto file = partial_folder(cell) / fmt::format("{}-{}.npz", first, count);
      if (!exists(file)) {
        BlockObserver observer(observer_, cell, first, count, images.rows());
        const double start = now();
        const auto part =
            defence->infer(subject_->vae, images.slice(first, count),
                           std::span(keys).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                           options_.threads, observer);
        save_inference(file, part, now() - start);
      }
      double block_seconds = 0.0;
      append(whole, load_inference(file, block_seconds));
      seconds += block_seconds;
    }
    return whole;
  }

  void export_csv() const {
    write_file_atomically(options_.out / "measurements.csv", measurements_csv(store_->read().measurements));
  }

  const plans::Plan& plan_;
  const RunOptions& options_;
  Observer& observer_;
  std::optional<Store> store_;
  data::Dataset dataset_;
  std::map<std::string, std::string> recorded_;  // by earlier calls
  std::map<std::string, std::string> environment_;
  std::optional<measures::SampleDistance> classifier_distance_;
  std::optional<measures::SampleDistance> inception_distance_;
  const plans::ModelPlan* model_ = nullptr;  // the one at work
  std::string checkpoint_place_;
  std::optional<measures::Subject> subject_;
  std::optional<measures::References> references_;
};

}  // namespace

void run_plan(const plans::Plan& plan, const RunOptions& options, Observer& observer) {
  Runner(plan, options, observer).run();
}

measures::References plan_references(std::uint64_t seed, std::int64_t number, const measures::Subject& subject,
                                     const data::Dataset& dataset, int threads) {
  auto index = data::choose_references(dataset, number, Key(seed).fold("references"));
  auto images = data::gather(dataset.test, index);
  return measures::make_references(subject, std::move(images), std::move(index), Key(seed).fold("reference draws"),
                                   threads);
}

std::vector<Key> defence_keys(std::uint64_t seed, std::string_view defence, const measures::References& references,
                              std::int64_t restarts) {
  std::vector<Key> keys;
  const Key key = Key(seed).fold("defence").fold(defence);
  for (const std::int64_t index : references.index) {
    for (std::int64_t restart = 0; restart < restarts; ++restart) {
      keys.push_back(key.fold(static_cast<std::uint64_t>(index)).fold(static_cast<std::uint64_t>(restart)));
    }
  }
  return keys;
}

}  // namespace vaeguard::runs
