// A particle scenario as an environment: actions become forces and messages, the world steps, the scenario pays and
// shows. Episodes end after max_steps alone (truncated) and nobody dies. Masks forbid discrete moves to agents that
// cannot move, and nothing else. Global state: all observations.
//
// Statistics: the scenario's, then for each scripted role `return_of_GROUP`: its agents' mean reward, summed over the
// episode (those of groups are in every evaluation anyway).
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_ENVIRONMENT_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_ENVIRONMENT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/mpe/mpe_scenario.h"
#include "actor_worker/environments/mpe/mpe_settings.h"

namespace troupe {

class MpeEnvironment final : public Environment {
 public:
  // `name`: the registry row's. At least one role is not scripted.
  MpeEnvironment(const std::string& name, const MpeSettings& settings, std::unique_ptr<MpeScenario> scenario);

  const EnvironmentSpec& spec() const override { return spec_; }
  absl::Status Reset(uint64_t seed) override;
  absl::Status Step(const JointAction& action, StepOutcome& outcome) override;
  void Observe(JointObservation& observation) const override;
  void EpisodeStatistics(absl::Span<double> statistics) const override;
  std::string Render() const override;
  void Draw(Scene& scene) const override;

  const MpeSettings& settings() const { return settings_; }
  const std::vector<MpeRole>& roles() const { return roles_; }
  const MpeWorld& world() const { return world_; }
  // Starts an episode from this world instead of a drawn one: one of the same scenario.
  void Restart(const MpeWorld& world);
  // Rewards of the last step, scripted agents too.
  absl::Span<const double> rewards() const { return rewards_; }

 private:
  void BeginEpisode();
  absl::Span<double> MessageOf(int agent);
  void Act(const JointAction& action);
  static Vector2 Apply(const MpeRole& role, size_t a, const AgentGroupSpec& group, const GroupAction& action,
                       absl::Span<double> message);

  const MpeSettings settings_;
  const std::unique_ptr<const MpeScenario> scenario_;
  const std::vector<MpeRole> roles_;
  const std::vector<MpeStatistic> tallies_;
  EnvironmentSpec spec_;
  MpePhysics physics_;
  const std::unique_ptr<MpePlayer> script_;  // null: every role is learnt
  MpeWorld world_;
  int step_ = 0;
  std::vector<MpeMove> script_moves_;  // [agents], where there is a script
  std::vector<Vector2> controls_;      // [agents]
  std::vector<double> rewards_;        // [agents]
  std::vector<double> measured_;       // of the last step, as tallies_ are ordered
  std::vector<double> sums_;           // of those, over the episode
  std::vector<double> role_returns_;   // [roles]
};

// A baseline that plays every learnt agent by a rule made anew for each episode.
Baseline MpeBaseline(const std::string& name,
                     std::function<std::unique_ptr<MpePlayer>(const MpeEnvironment& environment)> make_player);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_ENVIRONMENT_H_
