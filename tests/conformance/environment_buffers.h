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
      const bool continuous = group.action_kind == ActionKind::kContinuous;
      groups_.push_back({std::vector<float>(A * group.observation_size), std::vector<uint8_t>(continuous ? 0 : A * N),
                         std::vector<uint8_t>(A), std::vector<float>(A), std::vector<int32_t>(A * group.num_choices()),
                         std::vector<float>(continuous ? A * N : 0)});
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
      ForEachIndex(g, [&](size_t i, const uint8_t* mask, int choices) {
        std::vector<int> allowed;
        for (int n = 0; n < choices; ++n) {
          if (mask[n] != 0) allowed.push_back(n);
        }
        ASSERT_FALSE(allowed.empty());
        groups_[g].discrete[i] = allowed[random.Below(allowed.size())];
      });
      for (size_t i = 0; i < groups_[g].continuous.size(); ++i) {
        const ActionBounds bounds = BoundsOf(g, i);
        groups_[g].continuous[i] = bounds.low + (bounds.high - bounds.low) * random.Uniform();
      }
    }
  }
  void ChooseBy(Controller& controller, const Environment& environment) {
    for (Group& group : groups_) {
      std::fill(group.discrete.begin(), group.discrete.end(), -1);
      std::fill(group.continuous.begin(), group.continuous.end(), NAN);
    }
    controller.Act(environment, joint_, discrete_, continuous_);
    for (size_t g = 0; g < groups_.size(); ++g) {
      ForEachIndex(g, [&](size_t i, const uint8_t* mask, int choices) {
        const int action = groups_[g].discrete[i];
        ASSERT_TRUE(action >= 0 && action < choices) << "group " << g << " index " << i << ": action " << action;
        ASSERT_NE(mask[action], 0) << "group " << g << " index " << i << ": action " << action << " is masked";
      });
      for (size_t i = 0; i < groups_[g].continuous.size(); ++i) {
        const float value = groups_[g].continuous[i];
        ASSERT_TRUE(value >= BoundsOf(g, i).low && value <= BoundsOf(g, i).high) << value;
      }
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
  bool terminated() const { return outcome_.terminated; }
  const JointAction& action() const { return action_; }
  // Of group g, as last observed, chosen and earned.
  const std::vector<float>& observations(size_t g) const { return groups_[g].observations; }
  const std::vector<int32_t>& discrete(size_t g) const { return groups_[g].discrete; }
  const std::vector<float>& rewards(size_t g) const { return groups_[g].rewards; }
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

  // Calls visit(i, mask, choices) for every index of every agent's action, i-th of `discrete`.
  template <typename Visit>
  void ForEachIndex(size_t g, const Visit& visit) const {
    const AgentGroupSpec& group = spec_.groups[g];
    const uint8_t* mask = groups_[g].masks.data();
    for (size_t i = 0; i < groups_[g].discrete.size(); ++i) {
      const int choices = group.choices_of(static_cast<int>(i) % group.num_choices());
      visit(i, mask, choices);
      mask += choices;
    }
  }
  ActionBounds BoundsOf(size_t g, size_t number) const {
    const AgentGroupSpec& group = spec_.groups[g];
    return group.action_bounds.empty() ? ActionBounds{} : group.action_bounds[number % group.action_size];
  }

  void CheckGroup(size_t g) {
    const Group& group = groups_[g];
    for (const float value : group.observations) ASSERT_TRUE(std::isfinite(value)) << spec_.groups[g].name;
    for (const uint8_t flag : group.alive) ASSERT_LE(flag, 1) << spec_.groups[g].name << ": alive";
    ForEachIndex(g, [&](size_t i, const uint8_t* mask, int choices) {
      int allowed = 0;
      for (int n = 0; n < choices; ++n) {
        ASSERT_LE(mask[n], 1) << spec_.groups[g].name << ": mask";
        allowed += mask[n];
      }
      ASSERT_GT(allowed, 0) << spec_.groups[g].agents[i / spec_.groups[g].num_choices()] << " may do nothing";
    });
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
