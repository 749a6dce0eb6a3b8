// A small environment with continuous actions for tests: two pilots of two dimensions each, who see what they did last,
// and a deck of two discrete actions. It refuses actions outside [-1, 1].
#ifndef TROUPE_TESTS_ACTOR_WORKER_STEERED_ENVIRONMENT_H_
#define TROUPE_TESTS_ACTOR_WORKER_STEERED_ENVIRONMENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/vector_environment.h"
#include "common/base/random.h"
#include "common/config/experiment_loader.h"

namespace troupe {

// Pilots see [last action 0, last action 1, step / 10, a number of the seed]; the deck sees the last two. Episodes take
// 3 + seed % 4 steps; even seeds end in a final state, odd ones are cut. A pilot's reward is minus its action's square.
class SteeredEnvironment final : public Environment {
 public:
  SteeredEnvironment() {
    spec_.name = "steered";
    spec_.groups = {{"pilots", {"left", "right"}, 4, ActionKind::kContinuous, 2},
                    {"deck", {"deck"}, 2, ActionKind::kDiscrete, 2}};
    spec_.statistics = {"action_sum"};
  }
  const EnvironmentSpec& spec() const override { return spec_; }
  absl::Status Reset(uint64_t seed) override {
    seed_ = seed;
    step_ = 0;
    last_.assign(4, 0.0f);
    sum_ = 0;
    return absl::OkStatus();
  }
  absl::Status Step(const JointAction& action, StepOutcome& outcome) override {
    const absl::Span<const float> steered = action.groups[0].continuous;
    for (size_t i = 0; i < steered.size(); ++i) {
      if (!(steered[i] >= -1 && steered[i] <= 1)) {
        return absl::InvalidArgumentError(absl::StrCat("action ", i, " is ", steered[i]));
      }
      last_[i] = steered[i];
      sum_ += steered[i];
    }
    for (int a = 0; a < 2; ++a) {
      outcome.rewards[0][a] = -last_[2 * a] * last_[2 * a] - last_[2 * a + 1] * last_[2 * a + 1];
    }
    outcome.rewards[1][0] = float(action.groups[1].discrete[0]);
    sum_ += action.groups[1].discrete[0];
    ++step_;
    const bool over = step_ >= int(3 + seed_ % 4);
    outcome.terminated = over && seed_ % 2 == 0;
    outcome.truncated = over && seed_ % 2 == 1;
    return absl::OkStatus();
  }
  void Observe(JointObservation& observation) const override {
    const float of_seed = RandomStream(seed_).Uniform();
    for (int a = 0; a < 2; ++a) {
      float* const seen = &observation.groups[0].observations[4 * a];
      seen[0] = last_[2 * a];
      seen[1] = last_[2 * a + 1];
      seen[2] = float(step_) / 10;
      seen[3] = of_seed;
      observation.groups[0].alive[a] = 1;
    }
    observation.groups[1].observations[0] = float(step_) / 10;
    observation.groups[1].observations[1] = of_seed;
    observation.groups[1].action_mask[0] = observation.groups[1].action_mask[1] = 1;
    observation.groups[1].alive[0] = 1;
  }
  void EpisodeStatistics(absl::Span<double> statistics) const override { statistics[0] = sum_; }
  std::string Render() const override { return "steered"; }

 private:
  EnvironmentSpec spec_;
  uint64_t seed_ = 0;
  int step_ = 0;
  std::vector<float> last_;  // [pilots, 2]
  double sum_ = 0;
};

inline const EnvironmentEntry& SteeredEntry() {
  static const EnvironmentEntry entry = {
      .name = "steered",
      .summary = "for tests",
      .create = [](const SettingsMap&) -> absl::StatusOr<std::unique_ptr<Environment>> {
        return std::make_unique<SteeredEnvironment>();
      },
      .baselines = [](const SettingsMap&) { return std::vector<Baseline>(); },
      .describe_settings = [] { return std::string(); }};
  return entry;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTOR_WORKER_STEERED_ENVIRONMENT_H_
