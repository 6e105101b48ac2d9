// Where the models of a plan come from.
#include "vaeguard/runs/prepared_model.h"

#include <filesystem>

#include "vaeguard/models/checkpoint.h"
#include "vaeguard/runs/subject.h"

namespace vaeguard::runs {
namespace {

// The file of the model's weights; trains it first if the plan names none and no earlier call has trained it.
std::filesystem::path weights_file(const plans::Plan& plan, const plans::ModelPlan& model, const data::Dataset& dataset,
                                   const RunOptions& options, const RunFolder& folder, Observer& observer) {
  if (!model.checkpoint.empty()) {
    return model.checkpoint;
  }
  const auto file = folder.checkpoint(model.name);
  if (!exists(file)) {
    const auto state = folder.training_state(model.name);
    models::save_checkpoint(make_checkpoint(model, plan.seed, dataset, state, options.threads, observer), file);
    remove(state);
  }
  return file;
}

}  // namespace

PreparedModel prepare_model(const plans::Plan& plan, const plans::ModelPlan& model, const data::Dataset& dataset,
                            const RunOptions& options, const RunFolder& folder, Observer& observer) {
  if (const auto given = options.models.find(model.name); given != options.models.end()) {
    check_subject(given->second.subject, dataset, "the model given as " + model.name);
    return {given->second.subject, given->second.digest, {}};
  }
  const auto file = weights_file(plan, model, dataset, options, folder, observer);
  const StoredModel stored = model.checkpoint.empty() ? load_model(file) : read_checkpoint(model);
  measures::Subject subject = make_subject(stored, dataset, file.string(), options.backend, options.gradients);
  report_fallbacks(subject.vae, options.gradients, observer);
  tell_other_data(stored, dataset, file.string(), observer);
  return {std::move(subject), digest_of_model(file), stored.metadata};
}

}  // namespace vaeguard::runs
