// Takes the models of a plan one by one, and computes each one's missing cells.
#include "vaeguard/runs/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vaeguard/base/error.h"
#include "vaeguard/base/file.h"
#include "vaeguard/runs/cell.h"
#include "vaeguard/runs/cell_arrays.h"
#include "vaeguard/runs/executor.h"
#include "vaeguard/runs/plan_needs.h"
#include "vaeguard/runs/plan_references.h"
#include "vaeguard/runs/prepared_model.h"
#include "vaeguard/runs/run_folder.h"
#include "vaeguard/runs/store.h"
#include "vaeguard/runs/subject.h"

namespace vaeguard::runs {
namespace {

/// One call of run_plan, with the folder and the data that all models share.
class Run {
 public:
  Run(const plans::Plan& plan, const RunOptions& options, Observer& observer)
      : plan_(plan),
        options_(options),
        observer_(observer),
        folder_(options.out, plan.text, observer),
        dataset_(load_dataset(plan.dataset, options.data_folder, options.threads)),
        store_(folder_.store(), Store::Access::write),
        distances_(dataset_, plan.evaluation.frechet_images, options, observer),
        cells_(cells(plan)) {
    folder_.require("seed", std::to_string(plan.seed));
    folder_.require("data_digest", dataset_.digest);
    folder_.note("threads", std::to_string(options.threads));
    if (options.inception != nullptr) {
      folder_.require("inception", "sha256 " + options.inception_digest);
    }
    folder_.write();  // before hours of training, so that a call with another seed cannot adopt their result
    std::vector<std::string> names;
    std::ranges::transform(cells_, std::back_inserter(names), &Cell::name);
    store_.arrange(names);
  }

  void finish() {
    for (const plans::ModelPlan& model : plan_.models) {
      check_needs(plan_, model.name, has_classifier(model));
    }
    for (const plans::ModelPlan& model : plan_.models) {
      finish_model(model);
    }
    write_file_atomically(folder_.csv(), measurements_csv(store_.read().measurements));
  }

 private:
  // For a model that is still to be trained: whether it will have one.
  [[nodiscard]] bool has_classifier(const plans::ModelPlan& model) const {
    if (const auto given = options_.models.find(model.name); given != options_.models.end()) {
      return given->second.subject.classifier.has_value();
    }
    return model.checkpoint.empty() ? dataset_.classes > 1 : read_checkpoint(model).classifier.has_value();
  }

  void finish_model(const plans::ModelPlan& model) {
    const PreparedModel prepared = prepare_model(plan_, model, dataset_, options_, folder_, observer_);
    const std::string place = plan_.models.size() > 1 ? fmt::format("model {} ", model.name) : "model ";
    const models::Vae& vae = prepared.subject.vae;
    const Identity identity{.seed = plan_.seed,
                            .references = plan_.references,
                            .data = dataset_.digest,
                            .weights = prepared.weights,
                            .backend = std::string(vae.generative().backend()),
                            .precision = vae.mixed() ? "mixed" : "fp32"};
    folder_.require("backend used", identity.backend);
    folder_.require("precision used", identity.precision);
    folder_.require(place + "weights", identity.weights);
    for (const auto& [key, value] : prepared.metadata) {
      folder_.note(place + key, value);
    }
    folder_.write();

    const std::string prefix = plan_.models.size() > 1 ? model.name + "-" : "";
    const auto references = plan_references(plan_.seed, plan_.references, prepared.subject, dataset_, options_.threads);
    write_model_arrays(folder_, prefix, prepared.subject, references, dataset_.test, options_.threads);
    Executor executor({plan_, options_, folder_, store_, dataset_, prepared.subject, references, distances_},
                      observer_);
    for (const Cell& cell : cells_) {
      if (cell.model == model.name && !store_.finished(cell.name, digest(cell, identity)) && can_compute(cell)) {
        store_.write(cell.name, digest(cell, identity), executor.run(cell));
        remove_all(folder_.blocks(cell.name));
        observer_.message(fmt::format("{} done", cell.name));
      }
    }
  }

  // Only a call with the Inception file can compare samples by its features; an earlier call may have had it.
  [[nodiscard]] bool can_compute(const Cell& cell) const {
    return cell.kind != measures::CellKind::inception || options_.inception != nullptr;
  }

  const plans::Plan& plan_;
  const RunOptions& options_;
  Observer& observer_;
  RunFolder folder_;
  data::Dataset dataset_;
  Store store_;
  SampleDistances distances_;
  std::vector<Cell> cells_;
};

}  // namespace

void run_plan(const plans::Plan& plan, const RunOptions& options, Observer& observer) {
  if (options.inception != nullptr && plan.evaluation.frechet_images < 2) {
    misuse("runs.runner",
           "FID needs a number of images: the plan's [evaluation] frechet_images must be at least 2, got {}",
           plan.evaluation.frechet_images);
  }
  for (const auto& [name, given] : options.models) {
    if (std::ranges::find(plan.models, name, &plans::ModelPlan::name) == plan.models.end()) {
      misuse("runs.runner", "a model was given as '{}', and the plan has none of that name", name);
    }
  }
  for (const plans::ModelPlan& model : plan.models) {
    if (!model.checkpoint.empty() && !options.models.contains(model.name)) {
      read_checkpoint(model);  // refuse a bad file now, not after hours of work on another model
    }
  }
  Run(plan, options, observer).finish();
}

}  // namespace vaeguard::runs
