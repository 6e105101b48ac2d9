// vaeguard list: everything that plans and options can name.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/cli/verbs.h"
#include "vaeguard/attacks/registry.h"
#include "vaeguard/data/registry.h"
#include "vaeguard/metrics/catalogue.h"
#include "vaeguard/networks/network.h"
#include "vaeguard/plans/plan.h"
#include "vaeguard/training/registry.h"

namespace vaeguard::cli {
namespace {

void line(std::string_view name, std::string_view text) { fmt::print("  {:<24} {}\n", name, text); }

std::string defence_text(const plans::DefencePlan& defence) {
  if (const auto* o = std::get_if<defences::PosteriorSamplingOptions>(&defence.inference)) {
    return fmt::format("{}; {} + {} transitions of {} leapfrog steps, {:.0f} gradients an image", defence.description,
                       o->warmup, o->transitions, o->leapfrog_steps, defences::gradients_per_image(*o));
  }
  const auto* o = std::get_if<defences::MapOptions>(&defence.inference);
  return o == nullptr
             ? defence.description
             : fmt::format("{}; {} gradients an image", defence.description, defences::gradients_per_image(*o));
}

void list() {
  fmt::print("data sets (dataset)\n");
  for (const auto& name : data::dataset_names()) {
    line(name, data::dataset_description(name));
  }
  fmt::print("training objectives ([model.training] objective, train --objective)\n");
  for (const auto& objective : training::objectives()) {
    line(objective.name, fmt::format("{}; options: {}", objective.description, fmt::join(objective.options, ", ")));
  }
  fmt::print("attack goals ([[attack]] goal)\n");
  for (const auto& goal : attacks::goals()) {
    line(goal.name, goal.description);
  }
  fmt::print("attack optimisers ([[attack]] optimiser)\n");
  for (const auto& optimiser : attacks::optimisers()) {
    line(optimiser.name, optimiser.description);
  }
  fmt::print("attack suites ([[attack]] optimiser)\n");
  for (const auto& suite : attacks::suites()) {
    line(suite.name, suite.description);
  }
  fmt::print("norms ([[attack]] norm)\n");
  for (const attacks::Norm norm : attacks::norms()) {
    line(attacks::name(norm), norm == attacks::Norm::linf ? "largest change of a pixel"
                              : norm == attacks::Norm::l2 ? "Euclidean length of the change"
                                                          : "sum of the changes of all pixels");
  }
  fmt::print("defences ([[defence]] preset)\n");
  for (const auto& name : plans::defence_presets()) {
    line(name, defence_text(plans::defence_preset(name)));
  }
  fmt::print("metrics (in records)\n");
  for (const auto& metric : metrics::catalogue()) {
    line(metric.name, metric.meaning);
  }
  fmt::print("backends (--backend)\n");
  for (const auto* backend : networks::backends()) {
    line(backend->name(), backend->description());
  }
}

}  // namespace

void add_list(CLI::App& program, Common& /*common*/) {
  auto* app =
      program.add_subcommand("list", "List data sets, training objectives, attacks, defences, metrics and backends");
  app->footer("Example: vaeguard list");
  app->callback(list);
}

}  // namespace vaeguard::cli
