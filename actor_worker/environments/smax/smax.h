// Battles of two teams of units, as in StarCraft's micromanagement: one agent per unit. The rules are those of SMAX
// (arXiv:2311.10090) as PyPI jaxmarl 0.2.0 has them, which tests/environments/smax_oracle_test.cc holds them to; the
// fight itself is in battle.h, the maps in maps.h, what is seen in observation.h.
//
// A decision lasts 8 ticks of 1/16 s. Discrete: move up, right, down or left, stop, or shoot at one foe; moves of the
// dead and foes that are dead or out of range are masked. Continuous: probabilities of moving and of a new target, and
// a point (orders.h); what cannot be masked, a shot out of range for example, is lost.
//
// opponent `heuristic`: the agents are the allies, the enemies are played by the rule in heuristic.h. `self`: two
// groups, allies and enemies, both of agents.
//
// Reward, of every agent of a team alike: health taken from the foes in this decision, each as a share of its full
// health, divided by their number, + won_battle_bonus when the last foe dies and a unit of the team lives. Walls count
// as shots do. self_play_reward: ±won_battle_bonus for the winner and the loser instead, and nothing for health. The
// dead go on being paid, so that dying for the team can be worth it; alive is 0 for them and only stop is allowed.
//
// An episode is terminated when a team is dead (both: a draw). It is truncated after max_decisions + 1 decisions:
// jaxmarl looks at its clock before it counts the decision. (jaxmarl itself reports both as `done`.)
//
// Statistics: won (every enemy dead, an ally alive), lost (the reverse; a draw and an episode cut by the clock are
// neither), enemies_killed, allies_killed, decisions.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_SMAX_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_SMAX_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/smax/battle.h"
#include "actor_worker/environments/smax/deployment.h"
#include "actor_worker/environments/smax/heuristic.h"
#include "actor_worker/environments/smax/observation.h"
#include "actor_worker/environments/smax/smax_settings.h"

namespace troupe::smax {

class Smax final : public Environment {
 public:
  explicit Smax(const SmaxSettings& settings);

  const EnvironmentSpec& spec() const override { return spec_; }
  absl::Status Reset(uint64_t seed) override;
  absl::Status Step(const JointAction& action, StepOutcome& outcome) override;
  void Observe(JointObservation& observation) const override;
  void EpisodeStatistics(absl::Span<double> statistics) const override;
  std::string Render() const override;
  void Draw(Scene& scene) const override;

  // Starts an episode as given instead of drawn; whatever is left to chance then is asked of `draws`, which must
  // outlive it.
  void Begin(absl::Span<const uint8_t> kinds, absl::Span<const float> x, absl::Span<const float> y, Draws& draws);

  const SmaxSettings& settings() const { return settings_; }
  const Battle& battle() const { return battle_; }
  Battle& battle() { return battle_; }
  // Of the running episode.
  uint64_t seed() const { return seed_; }
  // The first unit of group g.
  int FirstUnit(int group) const { return group == 0 ? 0 : battle_.num_allies(); }

 private:
  void GiveOrders(const JointAction& action);
  // Health of the units in [begin, end), each as a share of its full health.
  float HealthShares(int begin, int end) const;

  const SmaxSettings settings_;
  EnvironmentSpec spec_;
  Deployment deployment_;
  Battle battle_;
  Observer observer_;
  Heuristic enemies_;
  std::optional<RandomDraws> random_;
  Draws* draws_ = nullptr;
  std::vector<float> unit_action_;  // a continuous one
  uint64_t seed_ = 0;
  int decisions_ = 0;
};

std::vector<Baseline> SmaxBaselines(const SettingsMap& settings);

}  // namespace troupe::smax

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_SMAX_H_
