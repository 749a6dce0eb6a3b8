// An environment for tests whose groups have every kind of actions. It refuses those that are out of range or
// forbidden.
#ifndef TROUPE_TESTS_ACTOR_WORKER_MIXED_ENVIRONMENT_H_
#define TROUPE_TESTS_ACTOR_WORKER_MIXED_ENVIRONMENT_H_

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/environment.h"
#include "common/base/random.h"

namespace troupe {

// Two pilots of two dimensions with bounds of their own, a deck of three actions, a crew of two who choose one of three
// and one of two. Pilots and crew see [what they did last, two numbers; a number of the seed], the deck the last of
// these. Of the crew's first three choices one is forbidden, another each step. Episodes are cut after 3 + seed % 4
// steps. Everybody is paid the sum of what he did.
class MixedEnvironment final : public Environment {
 public:
  MixedEnvironment() {
    spec_.name = "mixed";
    spec_.groups = {{"pilots", {"left", "right"}, 3, ActionKind::kContinuous, 2},
                    {"deck", {"deck"}, 1, ActionKind::kDiscrete, 3},
                    {"crew", {"bow", "stern"}, 3, ActionKind::kMultiDiscrete, 5}};
    spec_.groups[0].action_bounds = {{-2, 2}, {10, 30}};
    spec_.groups[2].action_sizes = {3, 2};
    spec_.statistics = {"action_sum"};
  }
  const EnvironmentSpec& spec() const override { return spec_; }
  absl::Status Reset(uint64_t seed) override {
    seed_ = seed;
    step_ = 0;
    sum_ = 0;
    flown_.assign(4, 0.0f);
    chosen_.assign(4, 0);
    return absl::OkStatus();
  }
  absl::Status Step(const JointAction& action, StepOutcome& outcome) override {
    for (size_t i = 0; i < flown_.size(); ++i) {
      const float value = action.groups[0].continuous[i];
      const ActionBounds& bounds = spec_.groups[0].action_bounds[i % 2];
      if (!(value >= bounds.low && value <= bounds.high)) return Refused("pilots", i, value);
      flown_[i] = value;
    }
    const int32_t deck = action.groups[1].discrete[0];
    if (deck < 0 || deck > 2) return Refused("deck", 0, static_cast<float>(deck));
    for (size_t i = 0; i < chosen_.size(); ++i) {
      const int32_t index = action.groups[2].discrete[i];
      if (index < 0 || index >= (i % 2 == 0 ? 3 : 2) || (i % 2 == 0 && index == step_ % 3)) {
        return Refused("crew", i, static_cast<float>(index));
      }
      chosen_[i] = index;
    }
    for (int a = 0; a < 2; ++a) {
      outcome.rewards[0][a] = flown_[2 * a] + flown_[2 * a + 1];
      outcome.rewards[2][a] = static_cast<float>(chosen_[2 * a] + chosen_[2 * a + 1]);
      sum_ += outcome.rewards[0][a] + outcome.rewards[2][a];
    }
    outcome.rewards[1][0] = static_cast<float>(deck);
    sum_ += deck;
    ++step_;
    outcome.truncated = step_ >= static_cast<int>(3 + seed_ % 4);
    return absl::OkStatus();
  }
  void Observe(JointObservation& observation) const override {
    const float of_seed = RandomStream(seed_).Uniform();
    for (int a = 0; a < 2; ++a) {
      float* const pilot = &observation.groups[0].observations[3 * a];
      float* const member = &observation.groups[2].observations[3 * a];
      for (int i = 0; i < 2; ++i) {
        pilot[i] = flown_[2 * a + i];
        member[i] = static_cast<float>(chosen_[2 * a + i]);
      }
      pilot[2] = member[2] = of_seed;
      uint8_t* const mask = &observation.groups[2].action_mask[5 * a];
      for (int i = 0; i < 5; ++i) mask[i] = i != step_ % 3;
    }
    observation.groups[1].observations[0] = of_seed;
    std::ranges::fill(observation.groups[1].action_mask, 1);
    for (GroupObservation& group : observation.groups) std::ranges::fill(group.alive, 1);
  }
  void EpisodeStatistics(absl::Span<double> statistics) const override { statistics[0] = sum_; }
  std::string Render() const override { return "mixed"; }

 private:
  static absl::Status Refused(const std::string& group, size_t place, float value) {
    return absl::InvalidArgumentError(absl::StrCat("action ", place, " of ", group, " is ", value));
  }

  EnvironmentSpec spec_;
  uint64_t seed_ = 0;
  int step_ = 0;
  double sum_ = 0;
  std::vector<float> flown_;     // [pilots, 2]
  std::vector<int32_t> chosen_;  // [crew, 2]
};

inline const EnvironmentEntry& MixedEntry() {
  static const EnvironmentEntry entry = {
      .name = "mixed",
      .summary = "for tests",
      .create = [](const SettingsMap&) -> absl::StatusOr<std::unique_ptr<Environment>> {
        return std::make_unique<MixedEnvironment>();
      },
      .baselines = [](const SettingsMap&) { return std::vector<Baseline>(); },
      .describe_settings = [] { return std::string(); }};
  return entry;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTOR_WORKER_MIXED_ENVIRONMENT_H_
