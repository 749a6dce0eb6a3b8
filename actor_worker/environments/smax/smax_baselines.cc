// Hand-written players. They choose discrete actions, for every group the environment has.
#include <algorithm>
#include <memory>
#include <optional>

#include "actor_worker/environments/smax/smax.h"

namespace troupe::smax {
namespace {

// SMAX's rule on the agents' side.
class HeuristicController final : public Controller {
 public:
  void Begin(const Environment& environment) override {
    const auto& smax = static_cast<const Smax&>(environment);
    if (!heuristic_) heuristic_.emplace(smax.battle().num_units(), HeuristicSettings{});
    heuristic_->Begin();
    constexpr uint64_t kStream = 2;  // apart from those of the environment
    draws_.emplace(MixKey({smax.seed()}), kStream);
  }
  void Act(const Environment& environment, const JointObservation&, std::vector<absl::Span<int32_t>>& actions,
           std::vector<absl::Span<float>>&) override {
    const auto& smax = static_cast<const Smax&>(environment);
    for (size_t g = 0; g < actions.size(); ++g) {
      for (size_t agent = 0; agent < actions[g].size(); ++agent) {
        const int unit = smax.FirstUnit(static_cast<int>(g)) + static_cast<int>(agent);
        const bool alive = smax.battle().units().alive[unit];
        actions[g][agent] = alive ? heuristic_->Act(smax.battle(), unit, *draws_) : static_cast<int>(kStop);
      }
    }
  }

 private:
  std::optional<Heuristic> heuristic_;
  std::optional<RandomDraws> draws_;
};

// Each unit goes for the nearest living foe, wherever that is: it shoots once that is in range and walks there before.
class AttackNearestController final : public Controller {
 public:
  void Begin(const Environment&) override {}
  void Act(const Environment& environment, const JointObservation&, std::vector<absl::Span<int32_t>>& actions,
           std::vector<absl::Span<float>>&) override {
    const auto& smax = static_cast<const Smax&>(environment);
    for (size_t g = 0; g < actions.size(); ++g) {
      for (size_t agent = 0; agent < actions[g].size(); ++agent) {
        actions[g][agent] = ActionOf(smax.battle(), smax.FirstUnit(static_cast<int>(g)) + static_cast<int>(agent));
      }
    }
  }

 private:
  static int ActionOf(const Battle& battle, int unit) {
    const Units& units = battle.units();
    int nearest = -1;
    for (int k = 0; k < battle.num_foes(unit); ++k) {
      const int foe = battle.Foe(unit, k);
      if (!units.alive[foe]) continue;
      if (nearest < 0 || battle.SquaredDistance(unit, foe) < battle.SquaredDistance(unit, nearest)) nearest = foe;
    }
    if (!units.alive[unit] || nearest < 0) return kStop;
    if (battle.Near(unit, nearest, battle.type(unit).range)) return kFirstAttack + battle.FoeIndex(unit, nearest);
    return MoveTowards(units.x[nearest] - units.x[unit], units.y[nearest] - units.y[unit]);
  }
};

}  // namespace

std::vector<Baseline> SmaxBaselines(const SettingsMap&) {
  const SettingsMap discrete = {{"actions", "discrete"}};
  return {{.name = "heuristic",
           .setting_overrides = discrete,
           .make = [] { return std::make_unique<HeuristicController>(); }},
          {.name = "attack_nearest", .setting_overrides = discrete, .make = [] {
             return std::make_unique<AttackNearestController>();
           }}};
}

}  // namespace troupe::smax
