// vaeguard list: everything that plans and options can name, or one of these with its options.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "apps/cli/verbs.h"
#include "vaeguard/attacks/attacker.h"
#include "vaeguard/attacks/pixel_budget.h"
#include "vaeguard/attacks/registry.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/norm.h"
#include "vaeguard/base/option_schema.h"
#include "vaeguard/base/text.h"
#include "vaeguard/data/registry.h"
#include "vaeguard/defences/observation_model.h"
#include "vaeguard/defences/registry.h"
#include "vaeguard/defences/transform.h"
#include "vaeguard/mcmc/registry.h"
#include "vaeguard/metrics/catalogue.h"
#include "vaeguard/metrics/columns.h"
#include "vaeguard/models/likelihood.h"
#include "vaeguard/models/prior_design.h"
#include "vaeguard/networks/network.h"
#include "vaeguard/networks/operations.h"
#include "vaeguard/training/registry.h"

namespace vaeguard::cli {
namespace {

/// One thing that has a name.
struct Listed {
  std::string name;
  std::string description;
  std::string remark = {};           // what else is to be known of it
  std::vector<Option> options = {};  // that it reads
};

struct Group {
  std::string heading;
  std::vector<Listed> entries;
};

template <typename Entries>
Group group_of(std::string heading, const Entries& entries) {
  Group group{.heading = std::move(heading), .entries = {}};
  for (const auto& entry : entries) {
    group.entries.push_back({.name = std::string(entry.name), .description = std::string(entry.description)});
  }
  return group;
}

Group objectives() {
  Group group = group_of("training objectives ([model.training] objective, train --objective)", training::objectives());
  for (Listed& listed : group.entries) {
    listed.options = training::objective_schema().describe({.name = listed.name});
  }
  return group;
}

Group optimisers() {
  Group group = group_of("attack optimisers ([[attack]] optimiser)", attacks::optimisers());
  for (Listed& listed : group.entries) {
    listed.options = attacks::optimisers().find(listed.name).options;
  }
  return group;
}

Group pixel_budget() {
  Group group{.heading = "which pixels attacks move, and how far ([[attack]])", .entries = {}};
  for (const auto& field : attacks::pixel_budget_schema().fields()) {
    Option option = field.option;
    option.fallback = field.get({});
    option.description = "in [[attack]] and [[smallest]], for every optimiser and suite";
    group.entries.push_back({.name = option.key, .description = field.option.description, .options = {option}});
  }
  return group;
}

Group defence_entries() {
  Group group = group_of("defences ([[defence]] preset)", defences::defences());
  for (Listed& listed : group.entries) {
    const defences::DefenceEntry& entry = defences::defences().find(listed.name);
    const Value nothing_said;
    OptionReader reader(nothing_said, listed.name);
    const double gradients = defences::prepare(entry, reader).gradients;
    listed.description += gradients > 0.0 ? fmt::format(" At most {:.0f} gradients per image.", gradients) : "";
    listed.remark = entry.caution;
    listed.options = defences::options_of(entry);
  }
  return group;
}

// What is chosen by name, each with the options beside the name.
template <typename Entries, typename Chosen>
Group choices(std::string heading, const Entries& entries, const OptionSchema<Chosen>& schema) {
  Group group = group_of(std::move(heading), entries);
  for (Listed& listed : group.entries) {
    const auto& entry = entries.find(listed.name);
    listed.options = schema.describe(entry.usual);
    listed.options.erase(listed.options.begin());  // the choice itself
    if constexpr (requires { entry.caution; }) {
      listed.remark = entry.caution;
    }
  }
  return group;
}

Group backends() {
  Group group{.heading = "backends (--backend)", .entries = {}};
  for (const auto* backend : networks::backends()) {
    group.entries.push_back({.name = std::string(backend->name()), .description = std::string(backend->description())});
  }
  return group;
}

std::vector<Group> groups() {
  return {group_of("data sets (dataset)", data::datasets()),
          objectives(),
          choices("likelihoods ([model] likelihood, train --likelihood)", models::likelihoods(),
                  models::likelihood_schema()),
          choices("priors ([model.training] prior, train --prior)", models::priors(), models::prior_schema()),
          group_of("network operations (in checkpoints)", networks::operations()),
          group_of("attack goals ([[attack]] goal)", attacks::goals()),
          optimisers(),
          group_of("attack suites ([[attack]] optimiser)", attacks::suites()),
          group_of("norms ([[attack]] norm)", norms()),
          pixel_budget(),
          group_of("attackers ([[attack]] attacker)", attacks::attackers()),
          defence_entries(),
          choices("observation models ([[defence]] observation)", defences::observation_models(),
                  defences::observation_schema()),
          group_of("kernels of chains ([[defence]] kernel)", mcmc::kernels()),
          group_of("transforms ([[defence]] transform)", defences::transforms()),
          group_of("metrics (in records)", metrics::catalogue()),
          group_of("columns of measurements.csv", metrics::columns()),
          backends()};
}

// Up to the first full stop that a capital letter follows.
std::string first_sentence(const std::string& text) {
  for (std::size_t at = text.find(". "); at != std::string::npos; at = text.find(". ", at + 1)) {
    if (at + 2 < text.size() && std::isupper(static_cast<unsigned char>(text[at + 2])) != 0) {
      return text.substr(0, at + 1);
    }
  }
  return text;
}

void list_all() {
  for (const Group& group : groups()) {
    fmt::print("{}\n", group.heading);
    for (const Listed& listed : group.entries) {
      const bool defence = !listed.options.empty() || !listed.remark.empty();
      fmt::print("  {:<24} {}\n", listed.name, defence ? listed.description : first_sentence(listed.description));
      if (!listed.remark.empty()) {
        fmt::print("  {:<24} Caution: {}\n", "", listed.remark);
      }
    }
  }
  fmt::print("`vaeguard list NAME` shows one of them with its options.\n");
}

// A name may stand in several groups, as median does: a defence and a transform.
void list_one(const std::string& name) {
  std::vector<std::string> known;
  bool found = false;
  for (const Group& group : groups()) {
    for (const Listed& listed : group.entries) {
      known.push_back(listed.name);
      if (listed.name != name) {
        continue;
      }
      found = true;
      fmt::print("{}, of {}\n  {}\n", listed.name, group.heading, listed.description);
      if (!listed.remark.empty()) {
        fmt::print("  Caution: {}\n", listed.remark);
      }
      fmt::print("{}", option_lines(listed.options, "  "));
    }
  }
  if (!found) {
    const std::string suggestion = nearest(name, known);  // the names themselves would fill a screen
    misuse("list", "unknown name '{}'{} `vaeguard list` shows all {}", name,
           suggestion.empty() ? "." : fmt::format(", did you mean '{}'?", suggestion), known.size());
  }
}

}  // namespace

void add_list(CLI::App& program, Common& /*common*/) {
  auto* app = program.add_subcommand(
      "list", "List everything that plans and options can name, such as attacks, defences and metrics");
  auto name = std::make_shared<std::string>();
  app->add_option("name", *name, "Show this one with its options");
  app->footer("Example: vaeguard list hmc");
  app->callback([name] { name->empty() ? list_all() : list_one(*name); });
}

}  // namespace vaeguard::cli
