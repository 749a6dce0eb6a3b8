// A team whose size varies: at every step each of four agents is there or not, drawn by the episode's seed, so that
// they die, come back, and are sometimes all gone. Whoever is there is paid 1 for the action that it sees, the others
// nothing; episodes are cut after six steps. What an absent agent's observation holds is far from anything a living one
// sees.
#ifndef TROUPE_TESTS_ACTOR_WORKER_VARYING_TEAM_H_
#define TROUPE_TESTS_ACTOR_WORKER_VARYING_TEAM_H_

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/environment.h"
#include "common/base/random.h"

namespace troupe {

class VaryingTeam final : public Environment {
 public:
  static constexpr int kAgents = 4, kActions = 3, kLength = 6;
  static constexpr float kAbsentSees = 100;

  VaryingTeam() {
    spec_.name = "varying_team";
    spec_.groups = {{"crew", {"c0", "c1", "c2", "c3"}, kActions, ActionKind::kDiscrete, kActions}};
    spec_.state_extras_size = 1;
    spec_.statistics = {"paid"};
  }

  const EnvironmentSpec& spec() const override { return spec_; }

  absl::Status Reset(uint64_t seed) override {
    seed_ = seed;
    step_ = 0;
    paid_ = 0;
    return absl::OkStatus();
  }

  absl::Status Step(const JointAction& action, StepOutcome& outcome) override {
    for (int a = 0; a < kAgents; ++a) {
      const bool right = Lives(a) && action.groups[0].discrete[a] == Wanted(a);
      outcome.rewards[0][a] = right ? 1.0f : 0.0f;
      paid_ += right;
    }
    outcome.terminated = false;
    outcome.truncated = ++step_ >= kLength;
    return absl::OkStatus();
  }

  void Observe(JointObservation& observation) const override {
    GroupObservation& crew = observation.groups[0];
    for (int a = 0; a < kAgents; ++a) {
      crew.alive[a] = Lives(a);
      for (int n = 0; n < kActions; ++n) {
        crew.observations[a * kActions + n] = Lives(a) ? static_cast<float>(n == Wanted(a)) : kAbsentSees;
        crew.action_mask[a * kActions + n] = 1;
      }
    }
    observation.state_extras[0] = static_cast<float>(step_);
  }

  void EpisodeStatistics(absl::Span<double> statistics) const override { statistics[0] = paid_; }
  std::string Render() const override { return absl::StrCat("step ", step_); }

 private:
  uint64_t Draw(int agent, uint64_t what) const {
    return MixKey({seed_, static_cast<uint64_t>(step_), static_cast<uint64_t>(agent), what});
  }
  bool Lives(int agent) const { return Draw(agent, 0) % 2 == 0; }
  int Wanted(int agent) const { return static_cast<int>(Draw(agent, 1) % kActions); }

  EnvironmentSpec spec_;
  uint64_t seed_ = 0;
  int step_ = 0, paid_ = 0;
};

inline const EnvironmentEntry& VaryingTeamEntry() {
  static const auto& entry =
      *new EnvironmentEntry{.name = "varying_team",
                            .summary = "a team whose size varies",
                            .create = [](const SettingsMap&) -> absl::StatusOr<std::unique_ptr<Environment>> {
                              return std::make_unique<VaryingTeam>();
                            },
                            .baselines = [](const SettingsMap&) { return std::vector<Baseline>{}; },
                            .describe_settings = [] { return std::string(); }};
  return entry;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTOR_WORKER_VARYING_TEAM_H_
