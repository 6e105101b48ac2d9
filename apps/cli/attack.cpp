// vaeguard attack: attacked images of a checkpoint's data set, as .npz.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "apps/cli/numbers.h"
#include "apps/cli/verbs.h"
#include "vaeguard/attacks/pixel_budget.h"
#include "vaeguard/base/npz_matrix.h"
#include "vaeguard/data/data_folder.h"
#include "vaeguard/plans/toml.h"
#include "vaeguard/runs/attack_run.h"
#include "vaeguard/runs/inference_file.h"
#include "vaeguard/runs/plan_references.h"
#include "vaeguard/runs/subject.h"

namespace vaeguard::cli {
namespace {

struct AttackVerb {
  std::string checkpoint;
  std::string dataset = "mnist";
  std::string goal;
  std::string optimiser;
  std::string norm;
  std::vector<std::string> settings;
  double radius = 0.1;
  std::optional<double> smallest;  // search the smallest radius at which the objective is above this
  bool curve = false;
  std::int64_t restarts = 1;
  std::int64_t references = 50;
  std::string out = "attacked.npz";
};

// The options as a plan would have them, read and checked as plans are.
plans::AttackPlan attack_plan(const AttackVerb& verb) {
  constexpr std::string_view kPlace = "vaeguard attack";
  Value options = plans::parse_settings(verb.settings, kPlace);
  for (const auto& [key, text] :
       {std::pair("optimiser", verb.optimiser), std::pair("goal", verb.goal), std::pair("norm", verb.norm)}) {
    if (!text.empty()) {
      options.set(key, text);
    }
  }
  options.set("radii", Value::List{verb.radius});
  options.set("restarts", verb.restarts);
  auto plan = plans::read_attack({options, std::string(kPlace)});
  plan.name = plan.goal + attacks::name_ending(plan.pixels);
  return plan;
}

double mean_of(const std::vector<double>& values) {
  double mean = 0.0;
  for (const double value : values) {
    mean += value / static_cast<double>(values.size());
  }
  return mean;
}

// An attack and what it is run on.
struct Work {
  const plans::AttackPlan& plan;
  std::uint64_t seed;
  const measures::Subject& subject;
  const measures::References& references;
  const Common& common;

  void attack(double radius, const std::string& out) const {
    const auto result =
        runs::run_attack(plan, radius, seed, subject, references, common.thread_count(), *common.observer);
    write(out, result.adversarial, result.objective, {});
    fmt::print("{}, {} radius {}: mean objective {:.4g}\n{}\n", what(), vaeguard::name(plan.norm), radius,
               mean_of(result.objective), out);
  }

  void search(double largest, double enough, const std::string& out) const {
    const auto result = runs::run_smallest_radii(plan, {.largest = largest, .enough = enough}, seed, subject,
                                                 references, common.thread_count(), *common.observer);
    write(out, result.adversarial, result.objective, {{"radius", runs::to_array(result.radius)}});
    std::vector<double> sorted = result.radius;
    std::ranges::sort(sorted);
    const auto reached = std::ranges::count_if(sorted, [](double radius) { return std::isfinite(radius); });
    fmt::print("{}: objective above {} within {} radius {} for {} of {}, median smallest radius {:.4g}\n{}\n", what(),
               enough, vaeguard::name(plan.norm), largest, reached, sorted.size(), sorted[sorted.size() / 2], out);
  }

  void print_curve() const {
    std::vector<double> areas;
    for (const auto& curve :
         runs::run_distortion_curves(plan, seed, subject, references, common.thread_count(), *common.observer)) {
      areas.push_back(curve.area());
    }
    fmt::print("{}: area under the distortion-distortion curve {:.4f} (0: attacks cost nothing, 1: achieve nothing)\n",
               what(), mean_of(areas));
  }

  [[nodiscard]] std::string what() const {
    return fmt::format("{} of {} references x {} restarts", plan.name, references.images.pixels.rows(), plan.restarts);
  }

  void write(const std::string& out, const Matrix& adversarial, const std::vector<double>& objective,
             NpzArrays arrays) const {
    const auto targets = runs::attack_targets(plan, seed, subject, references);
    std::vector<std::int64_t> label;
    std::vector<std::int64_t> index;
    std::vector<std::int64_t> target;
    for (std::int64_t row = 0; row < adversarial.rows(); ++row) {
      const auto reference = static_cast<std::size_t>(row / plan.restarts);
      if (!references.images.labels.empty()) {
        label.push_back(references.images.labels[reference]);
      }
      index.push_back(references.index[reference]);
      if (!targets.empty()) {
        target.push_back(references.index[static_cast<std::size_t>(targets[reference])]);
      }
    }
    const ImageShape shape = subject.vae.image();
    arrays.insert({{"x_ref", images_array(repeat_rows(references.images.pixels, plan.restarts), shape)},
                   {"x_adv", images_array(adversarial, shape)},
                   {"objective", runs::to_array(objective)},
                   {"index", {{adversarial.rows()}, index}}});
    if (!label.empty()) {
      arrays.insert({"label", {{adversarial.rows()}, label}});
    }
    if (!targets.empty()) {
      arrays.insert({"target", {{adversarial.rows()}, target}});
    }
    write_npz(out, arrays);
  }
};

void attack(const AttackVerb& verb, const Common& common) {
  const plans::AttackPlan attack = attack_plan(verb);
  const auto dataset =
      plans::load_dataset(plans::dataset_plan(verb.dataset), data::data_folder(common.data), common.thread_count());
  const auto model = runs::load_model(verb.checkpoint);
  const auto subject = runs::make_subject(model, dataset, verb.checkpoint, common.backend);
  runs::tell_other_data(model, dataset, verb.checkpoint, *common.observer);
  const std::uint64_t seed = common.seed_or(1);
  const auto references = runs::plan_references(seed, verb.references, subject, dataset, common.thread_count());
  const Work work{attack, seed, subject, references, common};
  if (verb.curve) {
    work.print_curve();
    return;
  }
  if (verb.smallest) {
    work.search(verb.radius, *verb.smallest, verb.out);
    return;
  }
  work.attack(verb.radius, verb.out);
}

}  // namespace

void add_attack(CLI::App& program, Common& common) {
  auto* app = program.add_subcommand("attack", "Attack test images of a data set and write them as .npz");
  auto verb = std::make_shared<AttackVerb>();
  app->add_option("checkpoint", verb->checkpoint, "Model (safetensors, or a TOML file that describes one)")->required();
  app->add_option("--dataset", verb->dataset, "Data set (see `vaeguard list`)")->capture_default_str();
  app->add_option("--goal", verb->goal, "What to maximise (see `vaeguard list`); encoder_skl, or a suite's own");
  app->add_option("--optimiser", verb->optimiser, "How, or a suite (see `vaeguard list`); sign_pgd");
  app->add_option("--norm", verb->norm, "Of the radius: linf, l2 or l1; linf, or a suite's own");
  app->add_option("--set", verb->settings,
                  "An option of the attack as plans write it, such as iterations=100 or mask=unsaturated")
      ->allow_extra_args(false);
  app->add_option("--radius", verb->radius, "How far images may move, pixels from 0 to 1")
      ->capture_default_str()
      ->check(number_from_zero());
  app->add_option("--smallest", verb->smallest,
                  "Search for each image the smallest radius up to --radius at which the objective is above this (0: "
                  "margins)")
      ->check(number());
  app->add_flag("--curve", verb->curve, "Print the area under the distortion-distortion curve of a goal with a target");
  app->add_option("--references", verb->references, "Images to attack, stratified by class")
      ->capture_default_str()
      ->check(whole_number(1));
  app->add_option("--restarts", verb->restarts, "Random starts for each image")
      ->capture_default_str()
      ->check(whole_number(1));
  app->add_option("--out", verb->out, "Attacked images to write")->capture_default_str();
  app->footer(
      "Example: vaeguard attack zoo/mnist_vae.safetensors --goal classifier_ce --radius 0.1 --out attacked.npz");
  app->callback([verb, &common] { attack(*verb, common); });
}

}  // namespace vaeguard::cli
