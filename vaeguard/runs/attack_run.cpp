// Combines goals, objectives and optimisers as the attack's plan says.
#include "vaeguard/runs/attack_run.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "vaeguard/attacks/ball.h"
#include "vaeguard/attacks/best_of.h"
#include "vaeguard/attacks/goal_table.h"
#include "vaeguard/attacks/lbfgs.h"
#include "vaeguard/attacks/objective.h"
#include "vaeguard/attacks/registry.h"
#include "vaeguard/attacks/success.h"
#include "vaeguard/base/error.h"
#include "vaeguard/plans/distortion_plan.h"

namespace vaeguard::runs {
namespace {

/// A goal and its objective as a function of pixels.
struct Aim {
  std::unique_ptr<const attacks::Goal> goal;
  attacks::Objective objective;
};

class AttackRun {
 public:
  AttackRun(const plans::AttackPlan& plan, std::uint64_t seed, const measures::Subject& subject,
            const measures::References& references)
      : plan_(plan), seed_(seed), subject_(subject), victim_(subject.vae.recognition()), references_(references) {}

  [[nodiscard]] const attacks::Victim& victim() const { return victim_; }
  [[nodiscard]] attacks::GoalInputs inputs() const {
    return {.references = references_.encoding,
            .classifier = subject_.classifier ? &*subject_.classifier : nullptr,
            .vae = &subject_.vae,
            .images = &references_.images.pixels,
            .labels = references_.images.labels,
            .positions = references_.index,
            .key = Key(seed_),
            .draws = plan_.draws};
  }

  [[nodiscard]] std::unique_ptr<Aim> aim(std::string_view goal_name) const {
    std::unique_ptr<const attacks::Goal> goal = attacks::make_goal(goal_name, inputs());
    const attacks::Goal& made = *goal;
    return std::unique_ptr<Aim>(new Aim{std::move(goal), attacks::Objective(victim_, made, plan_.restarts)});
  }

  [[nodiscard]] std::unique_ptr<attacks::Attack> optimiser() const {
    if (const attacks::SuiteEntry* suite = attacks::suites().lookup(plan_.optimiser)) {
      std::vector<attacks::BestOfMember> members;
      for (const attacks::SuiteMember& member : suite->members) {
        const std::shared_ptr<Aim> own = aim(member.goal);
        members.push_back({attacks::make_attack(member.optimiser, member.goal), {own, &own->objective}});
      }
      return std::make_unique<attacks::BestOf>(suite->name, std::move(members), plan_.enough);
    }
    if (!plan_.best_of.empty()) {
      std::vector<attacks::BestOfMember> members;
      for (const std::string& name : plan_.best_of) {
        members.push_back({attacks::make_attack(name, plan_.goal)});
      }
      return std::make_unique<attacks::BestOf>("best_of", std::move(members), plan_.enough);
    }
    return attacks::make_attack(plan_.optimiser, plan_.goal, plan_.options);
  }

 private:
  const plans::AttackPlan& plan_;
  std::uint64_t seed_;
  const measures::Subject& subject_;
  attacks::UndefendedVictim victim_;
  const measures::References& references_;
};

std::vector<Key> keys_of(const plans::AttackPlan& attack, std::uint64_t seed, const measures::References& references) {
  return attacks::attack_keys(Key(seed), attack.name, references.index, attack.restarts);
}

}  // namespace

attacks::AttackResult run_attack(const plans::AttackPlan& attack, double radius, std::uint64_t seed,
                                 const measures::Subject& subject, const measures::References& references, int threads,
                                 Observer& observer) {
  const AttackRun run(attack, seed, subject, references);
  const auto aim = run.aim(attack.goal);
  return (*run.optimiser())(aim->objective, repeat_rows(references.images.pixels, attack.restarts),
                            attack.threat(radius), keys_of(attack, seed, references),
                            {.threads = threads, .observer = &observer});
}

attacks::SmallestRadii run_smallest_radii(const plans::AttackPlan& attack, const plans::SmallestSearch& search,
                                          std::uint64_t seed, const measures::Subject& subject,
                                          const measures::References& references, int threads, Observer& observer) {
  if (attacks::suites().lookup(attack.optimiser) != nullptr) {
    misuse("runs.attack_run", "smallest radii are searched by one optimiser or best_of, got the suite {}",
           attack.optimiser);
  }
  const AttackRun run(attack, seed, subject, references);
  const auto aim = run.aim(attack.goal);
  attacks::SmallestRadiusOptions options{.enough = search.enough, .steps = search.steps};
  std::unique_ptr<const attacks::Goal> rule;
  std::optional<attacks::Objective> judge;
  if (search.success) {
    rule = attacks::make_judge(*search.success, run.inputs());
    options.judge = &judge.emplace(run.victim(), *rule, attack.restarts);
    options.enough = attacks::kMostCodes;
  }
  return attacks::smallest_radii(*run.optimiser(), aim->objective,
                                 repeat_rows(references.images.pixels, attack.restarts), attack.threat(search.largest),
                                 keys_of(attack, seed, references), options,
                                 {.threads = threads, .observer = &observer});
}

std::vector<attacks::DistortionCurve> run_distortion_curves(const plans::AttackPlan& attack, std::uint64_t seed,
                                                            const measures::Subject& subject,
                                                            const measures::References& references, int threads,
                                                            Observer& observer) {
  plans::check_distance_goal(attack.goal, "runs.attack_run");
  plans::check_all_pixels_move(attack, "runs.attack_run");
  const std::vector<std::int64_t> targets = attack_targets(attack, seed, subject, references);
  const AttackRun run(attack, seed, subject, references);
  const auto aim = run.aim(attack.goal);
  const attacks::LbfgsOptions sweep = attacks::lbfgs_schema().read(attack.options, "runs.attack_run");
  const Matrix images = repeat_rows(references.images.pixels, attack.restarts);
  const std::vector<double> clean = values_of(aim->objective, images, threads);
  const auto sweeps = attacks::sweep_penalties(aim->objective, images, keys_of(attack, seed, references), sweep,
                                               {.threads = threads, .observer = &observer});
  std::vector<attacks::DistortionCurve> curves;
  for (std::int64_t row = 0; row < images.rows(); ++row) {
    const std::int64_t target = targets[static_cast<std::size_t>(row / attack.restarts)];
    const double farthest = attacks::l2_size(images.row(row), references.images.pixels.row(target));
    const auto at = static_cast<std::size_t>(row);
    curves.emplace_back(sweeps[at], farthest, -clean[at]);
  }
  return curves;
}

std::vector<std::int64_t> attack_targets(const plans::AttackPlan& attack, std::uint64_t seed,
                                         const measures::Subject& subject, const measures::References& references) {
  return attacks::target_rows(attack.goal, AttackRun(attack, seed, subject, references).inputs());
}

}  // namespace vaeguard::runs
