// vaeguard run PLAN: everything from training to the report.
#include <fmt/format.h>

#include <algorithm>

#include "apps/cli/report_folder.h"
#include "apps/cli/verbs.h"
#include "vaeguard/data/checksum.h"
#include "vaeguard/data/data_folder.h"
#include "vaeguard/plans/plan.h"
#include "vaeguard/plugins/torch_plugin.h"
#include "vaeguard/runs/runner.h"

namespace vaeguard::cli {
namespace {

struct RunVerb {
  std::string plan;
  std::string out;
  std::string inception;
  bool retrain = false;
};

// Command-line changes become part of the plan's text: the folder's plan.toml is what ran.
plans::Plan changed_plan(const RunVerb& verb, const Common& common) {
  plans::Plan plan = plans::load_plan(verb.plan);
  std::string notes;
  if (common.seed >= 0 && plan.seed != common.seed_or(plan.seed)) {
    plan.seed = common.seed_or(plan.seed);
    for (auto& model : plan.models) {
      model.training.seed = plan.seed;
    }
    notes += fmt::format("# run with --seed {}\n", plan.seed);
  }
  if (verb.retrain && std::ranges::any_of(plan.models, [](const auto& model) { return !model.checkpoint.empty(); })) {
    for (auto& model : plan.models) {
      model.checkpoint.clear();
    }
    notes += "# run with --retrain\n";
  }
  plan.text = notes + plan.text;
  return plan;
}

}  // namespace

void add_run(CLI::App& program, Common& common) {
  auto* app = program.add_subcommand(
      "run", "Run a plan: train, attack, defend, measure, report; computes only what is missing");
  auto verb = std::make_shared<RunVerb>();
  app->add_option("plan", verb->plan, "Plan (TOML)")->required();
  app->add_option("--out", verb->out, "Folder of the run (default: runs/NAME)");
  app->add_option("--inception", verb->inception,
                  "TorchScript file of Inception's features: measures FID too, also of a finished run "
                  "(docs/guide/evaluate-a-model.md)")
      ->check(CLI::ExistingFile);
  app->add_flag("--retrain", verb->retrain, "Train the model even where the plan names a checkpoint");
  app->footer(
      "Example: vaeguard run plans/quickstart.toml --out runs/quickstart\n"
      "Interrupted or killed, the same command resumes. A finished run of a plan to which\n"
      "models, attacks, radii or defences were added computes what they add.");
  app->callback([verb, &common] {
    const plans::Plan plan = changed_plan(*verb, common);
    runs::RunOptions options;
    options.out = verb->out.empty() ? std::filesystem::path("runs") / plan.name : std::filesystem::path(verb->out);
    options.data_folder = data::data_folder(common.data);
    options.threads = common.thread_count();
    options.backend = common.backend;
    options.gradients = common.gradient_precision();
    if (!verb->inception.empty()) {
      options.inception = plugins::torch_plugin().load_inception(verb->inception);
      options.inception_digest = data::sha256_of_file(verb->inception);
    }
    runs::run_plan(plan, options, *common.observer);
    write_folder_report(options.out);
    fmt::print("{}\n", (options.out / "report.html").string());
  });
}

}  // namespace vaeguard::cli
