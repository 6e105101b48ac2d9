// Goals, objectives and optimisers put together as the attack's plan says.
#include "vaeguard/experiments/attack_run.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "vaeguard/attacks/best_of.h"
#include "vaeguard/attacks/objective.h"
#include "vaeguard/attacks/registry.h"

namespace vaeguard::experiments {
namespace {

/// A goal and the field that it makes of the pixels.
struct Aim {
  std::unique_ptr<const attacks::Goal> goal;
  attacks::Objective objective;
};

class AttackRun {
 public:
  AttackRun(const AttackPlan& plan, std::uint64_t seed, const Subject& subject, const References& references)
      : plan_(plan), seed_(seed), subject_(subject), references_(references) {}

  [[nodiscard]] std::unique_ptr<Aim> aim(std::string_view goal_name) const {
    std::unique_ptr<const attacks::Goal> goal = attacks::make_goal(goal_name, {.references = references_.encoding,
                                                                               .classifier = &subject_.classifier,
                                                                               .vae = &subject_.vae,
                                                                               .images = &references_.images.pixels,
                                                                               .labels = references_.images.labels,
                                                                               .positions = references_.index,
                                                                               .key = Key(seed_),
                                                                               .draws = plan_.draws});
    const attacks::Goal& made = *goal;
    return std::unique_ptr<Aim>(
        new Aim{std::move(goal), attacks::Objective(subject_.vae.encoder(), made, plan_.restarts)});
  }

  [[nodiscard]] std::unique_ptr<attacks::Attack> optimiser() const {
    if (const attacks::SuiteEntry* suite = attacks::find_suite(plan_.optimiser)) {
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
    return plan_.options ? attacks::make_attack(plan_.optimiser, *plan_.options)
                         : attacks::make_attack(plan_.optimiser, plan_.goal);
  }

 private:
  const AttackPlan& plan_;
  std::uint64_t seed_;
  const Subject& subject_;
  const References& references_;
};

}  // namespace

attacks::AttackResult run_attack(const AttackPlan& attack, double radius, std::uint64_t seed, const Subject& subject,
                                 const References& references, int threads, Observer& observer) {
  const AttackRun run(attack, seed, subject, references);
  const auto aim = run.aim(attack.goal);
  const auto keys = attacks::attack_keys(Key(seed), attack.name, references.index, attack.restarts);
  return (*run.optimiser())(aim->objective, repeat_rows(references.images.pixels, attack.restarts),
                            {.norm = attack.norm, .radius = radius}, keys, {.threads = threads, .observer = &observer});
}

}  // namespace vaeguard::experiments
