// A small environment for worker tests: two groups, masks, deaths, both ways for an episode to end, and faults on
// request.
#ifndef TROUPE_TESTS_ACTOR_WORKER_TINY_ENVIRONMENT_H_
#define TROUPE_TESTS_ACTOR_WORKER_TINY_ENVIRONMENT_H_

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/synchronization/notification.h"
#include "actor_worker/environments/environment.h"
#include "common/base/random.h"

namespace troupe {

// Faults shared by all copies of a test.
struct TinyFaults {
  static TinyFaults& Get() {
    static TinyFaults faults;
    return faults;
  }
  void Reset() {
    throw_at_step = -1;
    nan_at_step = -1;
    huge_at_step = -1;
    hang_at_step = -1;
    release = std::make_shared<absl::Notification>();
    steps = 0;
  }
  std::atomic<int64_t> throw_at_step = -1, nan_at_step = -1, huge_at_step = -1,
                       hang_at_step = -1;  // counted over all copies; −1: never
  std::atomic<int64_t> steps = 0;
  std::shared_ptr<absl::Notification> release = std::make_shared<absl::Notification>();  // ends the hang
};

// Walkers (two agents, three actions) and one scout (two actions). Everything seen is a number drawn from the seed plus
// the sum of the actions so far, so a wrong action or a wrong seed shows in every later row. Even seeds end by a final
// state after 3 + seed % 5 steps, odd ones are cut after 7.
class TinyEnvironment final : public Environment {
 public:
  // `teams`: the two groups play against each other.
  explicit TinyEnvironment(bool teams = false) {
    spec_.name = "tiny";
    spec_.groups = {{.name = "walkers", .agents = {"a", "b"}, .observation_size = 3, .action_size = 3},
                    {.name = "scout", .agents = {"c"}, .observation_size = 2, .action_size = 2}};
    for (AgentGroupSpec& group : spec_.groups) {
      if (teams) group.team = group.name;
    }
    spec_.state_extras_size = 2;
    spec_.statistics = {"action_sum"};
  }

  const EnvironmentSpec& spec() const override { return spec_; }

  absl::Status Reset(uint64_t seed) override {
    seed_ = seed;
    step_ = 0;
    sum_ = 0;
    start_ = RandomStream(seed).Uniform();
    return absl::OkStatus();
  }

  absl::Status Step(const JointAction& action, StepOutcome& outcome) override {
    TinyFaults& faults = TinyFaults::Get();
    const int64_t count = faults.steps++;
    if (count == faults.throw_at_step) throw std::runtime_error("the simulator fell over");
    if (count == faults.hang_at_step) faults.release->WaitForNotification();
    for (int g = 0; g < 2; ++g) {
      for (int a = 0; a < action.groups[g].discrete.size(); ++a) {
        sum_ += (a + 1 + 10 * g) * action.groups[g].discrete[a];
        outcome.rewards[g][a] = static_cast<float>(action.groups[g].discrete[a]) - 0.5f;
      }
    }
    if (count == faults.nan_at_step) outcome.rewards[1][0] = 0.0f / static_cast<float>(count - count);
    if (count == faults.huge_at_step) outcome.rewards[1][0] = -1e9f;
    ++step_;
    if (seed_ % 2 == 0) outcome.terminated = step_ >= 3 + seed_ % 5;
    if (seed_ % 2 == 1) outcome.truncated = step_ >= 7;
    return absl::OkStatus();
  }

  void Observe(JointObservation& observation) const override {
    for (int g = 0; g < 2; ++g) {
      const auto& group = observation.groups[g];
      for (int i = 0; i < group.observations.size(); ++i) group.observations[i] = start_ + 0.125f * i + 0.01f * sum_;
      for (int i = 0; i < group.action_mask.size(); ++i) group.action_mask[i] = i % 3 != 2 || step_ % 2 == 0;
      for (int i = 0; i < group.alive.size(); ++i) group.alive[i] = i == 0 || step_ < 4;
    }
    observation.state_extras[0] = static_cast<float>(step_);
    observation.state_extras[1] = start_;
  }

  void EpisodeStatistics(absl::Span<double> statistics) const override { statistics[0] = sum_; }
  std::string Render() const override { return "tiny"; }

 private:
  EnvironmentSpec spec_;
  uint64_t seed_ = 0;
  uint64_t step_ = 0;
  int64_t sum_ = 0;
  float start_ = 0;
};

inline const EnvironmentEntry& TinyEntry() {
  static const EnvironmentEntry entry = {
      .name = "tiny",
      .summary = "for tests",
      .create = [](const SettingsMap& settings) -> absl::StatusOr<std::unique_ptr<Environment>> {
        return std::make_unique<TinyEnvironment>(settings.contains("teams"));
      },
      .baselines = [](const SettingsMap&) { return std::vector<Baseline>(); },
      .describe_settings = [] { return std::string(); }};
  return entry;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTOR_WORKER_TINY_ENVIRONMENT_H_
