// A tiny environment whose every number is known: two groups ("pair" of two agents, "single" of one), three actions,
// action 2 masked for agent 0 of the pair at odd steps. Its observations tell copy seed, step and agent. It can be told
// to end, to say NaN, to throw.
#ifndef TROUPE_TESTS_ACTOR_WORKER_SCRIPTED_ENVIRONMENT_H_
#define TROUPE_TESTS_ACTOR_WORKER_SCRIPTED_ENVIRONMENT_H_

#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/environment.h"
#include "common/base/status_macros.h"
#include "common/config/settings_reader.h"

namespace troupe {

// Settings: length (steps of an episode; 0: 2 + seed % 3), ending (terminated, truncated), fault (none, observation,
// reward, extra, mask, throw, error, both) at step fault_step.
class ScriptedEnvironment final : public Environment {
 public:
  struct Script {
    int length = 4;
    bool truncated = false;
    std::string fault = "none";
    int fault_step = 2;
  };

  explicit ScriptedEnvironment(const Script& script) : script_(script) {
    spec_.name = "scripted";
    spec_.groups = {{"pair", {"left", "right"}, 3, ActionKind::kDiscrete, 3},
                    {"single", {"only"}, 2, ActionKind::kDiscrete, 3}};
    spec_.state_extras_size = 1;
    spec_.statistics = {"steps_taken", "sum_of_actions"};
  }

  const EnvironmentSpec& spec() const override { return spec_; }

  absl::Status Reset(uint64_t seed) override {
    seed_ = seed;
    step_ = 0;
    actions_ = 0;
    return absl::OkStatus();
  }

  absl::Status Step(const JointAction& action, StepOutcome& outcome) override {
    ++step_;
    for (size_t g = 0; g < spec_.groups.size(); ++g) {
      for (size_t a = 0; a < spec_.groups[g].agents.size(); ++a) {
        const int taken = action.groups[g].discrete[a];
        if (g == 0 && a == 0 && step_ % 2 == 0 && taken == 2) return absl::InvalidArgumentError("masked action taken");
        actions_ += taken;
        outcome.rewards[g][a] = float(taken) + 0.25f * float(a);
      }
    }
    if (Fault("reward")) outcome.rewards[0][1] = std::numeric_limits<float>::infinity();
    if (Fault("throw")) throw std::runtime_error("simulator fell over");
    if (Fault("error")) return absl::UnavailableError("simulator is gone");
    const int length = script_.length > 0 ? script_.length : 2 + int(seed_ % 3);
    const bool over = step_ >= length;
    outcome.terminated = over && (!script_.truncated || Fault("both"));
    outcome.truncated = over && script_.truncated;
    return absl::OkStatus();
  }

  void Observe(JointObservation& observation) const override {
    for (size_t g = 0; g < spec_.groups.size(); ++g) {
      const AgentGroupSpec& group = spec_.groups[g];
      GroupObservation& into = observation.groups[g];
      for (int a = 0; a < group.num_agents(); ++a) {
        float* const seen = &into.observations[a * group.observation_size];
        seen[0] = float(seed_ % 1000) / 1000;
        seen[1] = float(step_);
        if (group.observation_size > 2) seen[2] = float(a);
        for (int n = 0; n < 3; ++n) into.action_mask[a * 3 + n] = !(g == 0 && a == 0 && step_ % 2 == 1 && n == 2);
        if (Fault("mask") && g == 1) std::fill_n(&into.action_mask[a * 3], 3, 0);
        into.alive[a] = 1;
      }
    }
    observation.state_extras[0] = float(10 * step_);
    if (Fault("observation")) observation.groups[0].observations[3 + 1] = std::numeric_limits<float>::quiet_NaN();
    if (Fault("extra")) observation.state_extras[0] = -std::numeric_limits<float>::infinity();
  }

  void EpisodeStatistics(absl::Span<double> statistics) const override {
    statistics[0] = step_;
    statistics[1] = actions_;
  }

  std::string Render() const override { return absl::StrCat("step ", step_); }

 private:
  bool Fault(const std::string& kind) const { return script_.fault == kind && step_ == script_.fault_step; }

  const Script script_;
  EnvironmentSpec spec_;
  uint64_t seed_ = 0;
  int step_ = 0;
  int actions_ = 0;
};

class AlwaysOneController final : public Controller {
 public:
  void Begin(const Environment&) override {}
  void Act(const Environment&, const JointObservation&, std::vector<absl::Span<int32_t>>& actions,
           std::vector<absl::Span<float>>&) override {
    for (const absl::Span<int32_t> group : actions) std::fill(group.begin(), group.end(), 1);
  }
};

inline EnvironmentEntry ScriptedEntry() {
  EnvironmentEntry entry;
  entry.name = "scripted";
  entry.create = [](const SettingsMap& settings) -> absl::StatusOr<std::unique_ptr<Environment>> {
    SettingsReader reader(settings);
    ScriptedEnvironment::Script script;
    script.length = int(reader.Integer("length", 4, 0, 1000, "steps"));
    script.truncated =
        reader.Choice("ending", "terminated", {"terminated", "truncated"}, "how episodes end") == "truncated";
    script.fault = reader.Text("fault", "none", "what goes wrong");
    script.fault_step = int(reader.Integer("fault_step", 2, 0, 1000, "when"));
    RETURN_IF_ERROR(reader.Finish());
    return std::make_unique<ScriptedEnvironment>(script);
  };
  entry.baselines = [](const SettingsMap&) -> std::vector<Baseline> {
    return {{"always_one", {}, [] { return std::make_unique<AlwaysOneController>(); }}};
  };
  entry.describe_settings = [] { return std::string("length, ending, fault, fault_step"); };
  return entry;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTOR_WORKER_SCRIPTED_ENVIRONMENT_H_
