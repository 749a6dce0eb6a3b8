// The memory behind an environment's views, poisoned before every use and checked after it.
#ifndef TROUPE_TESTS_CONFORMANCE_ENVIRONMENT_BUFFERS_H_
#define TROUPE_TESTS_CONFORMANCE_ENVIRONMENT_BUFFERS_H_

#include <algorithm>
#include <cmath>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "common/base/random.h"
#include "gtest/gtest.h"

namespace troupe {

inline constexpr float kUntouchedReward = -12345.0f;

// Checks are fatal assertions: wrap calls in ASSERT_NO_FATAL_FAILURE.
class EnvironmentBuffers {
 public:
  explicit EnvironmentBuffers(const EnvironmentSpec& spec) : spec_(spec), extras_(spec.state_extras_size) {
    for (const AgentGroupSpec& group : spec.groups) {
      const size_t A = group.num_agents(), N = group.action_size;
      const bool discrete = group.action_kind == ActionKind::kDiscrete;
      groups_.push_back({std::vector<float>(A * group.observation_size), std::vector<uint8_t>(discrete ? A * N : 0),
                         std::vector<uint8_t>(A), std::vector<float>(A), std::vector<int32_t>(discrete ? A : 0),
                         std::vector<float>(discrete ? 0 : A * N)});
    }
    for (Group& group : groups_) {
      joint_.groups.push_back(
          {absl::MakeSpan(group.observations), absl::MakeSpan(group.masks), absl::MakeSpan(group.alive)});
      action_.groups.push_back({.discrete = group.discrete, .continuous = group.continuous});
      outcome_.rewards.push_back(absl::MakeSpan(group.rewards));
      discrete_.push_back(absl::MakeSpan(group.discrete));
      continuous_.push_back(absl::MakeSpan(group.continuous));
    }
    joint_.state_extras = absl::MakeSpan(extras_);
  }
  EnvironmentBuffers(const EnvironmentBuffers&) = delete;

  // Observes into poisoned memory and checks everything written.
  void Observe(const Environment& environment) {
    for (Group& group : groups_) {
      std::fill(group.observations.begin(), group.observations.end(), NAN);
      std::fill(group.masks.begin(), group.masks.end(), 77);
      std::fill(group.alive.begin(), group.alive.end(), 77);
    }
    std::fill(extras_.begin(), extras_.end(), NAN);
    environment.Observe(joint_);
    for (size_t g = 0; g < groups_.size(); ++g) CheckGroup(g);
    for (const float value : extras_) ASSERT_TRUE(std::isfinite(value)) << "state extras";
  }
  void ChooseRandomly(RandomStream& random) {
    for (size_t g = 0; g < groups_.size(); ++g) {
      const int N = spec_.groups[g].action_size;
      for (size_t a = 0; a < groups_[g].discrete.size(); ++a) {
        std::vector<int> allowed;
        for (int n = 0; n < N; ++n) {
          if (groups_[g].masks[a * N + n] != 0) allowed.push_back(n);
        }
        ASSERT_FALSE(allowed.empty());
        groups_[g].discrete[a] = allowed[random.Below(allowed.size())];
      }
      for (float& value : groups_[g].continuous) value = 2 * random.Uniform() - 1;
    }
  }
  void ChooseBy(Controller& controller, const Environment& environment) {
    for (Group& group : groups_) {
      std::fill(group.discrete.begin(), group.discrete.end(), -1);
      std::fill(group.continuous.begin(), group.continuous.end(), NAN);
    }
    controller.Act(environment, joint_, discrete_, continuous_);
    for (size_t g = 0; g < groups_.size(); ++g) {
      const int N = spec_.groups[g].action_size;
      for (size_t a = 0; a < groups_[g].discrete.size(); ++a) {
        const int action = groups_[g].discrete[a];
        ASSERT_TRUE(action >= 0 && action < N) << "group " << g << " agent " << a << ": action " << action;
        ASSERT_NE(groups_[g].masks[a * N + action], 0)
            << "group " << g << " agent " << a << ": action " << action << " is masked";
      }
      for (const float value : groups_[g].continuous) ASSERT_TRUE(value >= -1 && value <= 1) << value;
    }
  }
  // Steps with poisoned rewards and checks what came.
  void Step(Environment& environment) {
    for (Group& group : groups_) std::fill(group.rewards.begin(), group.rewards.end(), kUntouchedReward);
    const absl::Status status = environment.Step(action_, outcome_);
    ASSERT_TRUE(status.ok()) << status;
    for (const Group& group : groups_) {
      for (const float reward : group.rewards) {
        ASSERT_TRUE(std::isfinite(reward));
        ASSERT_NE(reward, kUntouchedReward) << "a reward was not written";
      }
    }
    ASSERT_FALSE(outcome_.terminated && outcome_.truncated);
  }
  bool over() const { return outcome_.terminated || outcome_.truncated; }
  bool truncated() const { return outcome_.truncated; }
  void Begin() { outcome_.terminated = outcome_.truncated = false; }
  // Everything an environment says at a step, to compare playthroughs with.
  std::vector<float> Everything() const {
    std::vector<float> all;
    for (const Group& group : groups_) {
      all.insert(all.end(), group.observations.begin(), group.observations.end());
      all.insert(all.end(), group.masks.begin(), group.masks.end());
      all.insert(all.end(), group.alive.begin(), group.alive.end());
      all.insert(all.end(), group.rewards.begin(), group.rewards.end());
    }
    all.insert(all.end(), extras_.begin(), extras_.end());
    all.push_back(outcome_.terminated);
    all.push_back(outcome_.truncated);
    return all;
  }

 private:
  struct Group {
    std::vector<float> observations;
    std::vector<uint8_t> masks, alive;
    std::vector<float> rewards;
    std::vector<int32_t> discrete;
    std::vector<float> continuous;
  };

  void CheckGroup(size_t g) {
    const int N = spec_.groups[g].action_size;
    const Group& group = groups_[g];
    for (const float value : group.observations) ASSERT_TRUE(std::isfinite(value)) << spec_.groups[g].name;
    for (const uint8_t flag : group.alive) ASSERT_LE(flag, 1) << spec_.groups[g].name << ": alive";
    for (size_t a = 0; a * N < group.masks.size(); ++a) {
      int allowed = 0;
      for (int n = 0; n < N; ++n) {
        ASSERT_LE(group.masks[a * N + n], 1) << spec_.groups[g].name << ": mask";
        allowed += group.masks[a * N + n];
      }
      ASSERT_GT(allowed, 0) << spec_.groups[g].agents[a] << " may do nothing";
    }
  }

  const EnvironmentSpec& spec_;
  std::vector<Group> groups_;
  std::vector<float> extras_;
  JointObservation joint_;
  JointAction action_;
  StepOutcome outcome_;
  std::vector<absl::Span<int32_t>> discrete_;
  std::vector<absl::Span<float>> continuous_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_CONFORMANCE_ENVIRONMENT_BUFFERS_H_
