// Shared by the tests of smax: a battle with its buffers, and draws that the test decides.
#ifndef TROUPE_TESTS_ENVIRONMENTS_SMAX_TEST_SUPPORT_H_
#define TROUPE_TESTS_ENVIRONMENTS_SMAX_TEST_SUPPORT_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "actor_worker/environments/episode_buffers.h"
#include "actor_worker/environments/smax/orders.h"
#include "actor_worker/environments/smax/smax.h"
#include "common/config/settings_reader.h"

namespace troupe {

EnvironmentEntry SmaxEntry();

namespace smax {

// The same number for everything.
class SameDraws final : public Draws {
 public:
  explicit SameDraws(float uniform) : uniform_(uniform) {}
  float Uniform(Chance, int, int) override { return uniform_; }

 private:
  const float uniform_;
};

// One environment and one time step of memory.
class Field {
 public:
  explicit Field(const SettingsMap& settings) : smax(Read(settings)), memory_(smax.spec(), 1) {}

  // Marines at these places.
  void Begin(const std::vector<float>& x, const std::vector<float>& y, Draws& draws) {
    smax.Begin(std::vector<uint8_t>(x.size(), kMarine), x, y, draws);
  }
  // Everybody's actions at once, in order of the units. The rewards of group 0 come back.
  float Step(const std::vector<int>& actions) {
    size_t next = 0;
    for (absl::Span<int32_t> group : copy().discrete) {
      for (int32_t& action : group) action = actions.at(next++);
    }
    const absl::Status status = smax.Step(copy().action, copy().outcome);
    EXPECT_TRUE(status.ok()) << status;
    const absl::Span<float> rewards = copy().outcome.rewards[0];
    EXPECT_EQ(std::count(rewards.begin(), rewards.end(), rewards[0]), static_cast<int>(rewards.size()));
    return rewards[0];
  }
  float Step(int action) { return Step(std::vector<int>(smax.spec().num_agents(), action)); }
  void Observe() { smax.Observe(copy().observation); }
  // Of agent `agent` of group `group`, after Observe.
  absl::Span<const float> Observation(int agent, int group = 0) {
    const int size = smax.spec().groups[group].observation_size;
    return copy().observation.groups[group].observations.subspan(agent * size, size);
  }
  // As text: "11111000".
  std::string Mask(int agent, int group = 0) {
    const int size = smax.spec().groups[group].action_size;
    std::string text;
    for (const uint8_t allowed : copy().observation.groups[group].action_mask.subspan(agent * size, size)) {
      text += allowed != 0 ? '1' : '0';
    }
    return text;
  }
  double Statistic(const std::string& name) {
    std::vector<double> statistics(smax.spec().num_statistics());
    smax.EpisodeStatistics(absl::MakeSpan(statistics));
    const std::vector<std::string>& names = smax.spec().statistics;
    return statistics.at(std::find(names.begin(), names.end(), name) - names.begin());
  }
  Units& units() { return smax.battle().units(); }
  EpisodeBuffers::Copy& copy() { return memory_.copies[0]; }
  StepOutcome& outcome() { return copy().outcome; }

  Smax smax;

 private:
  static SmaxSettings Read(const SettingsMap& settings) {
    SettingsReader reader(settings);
    const SmaxSettings read = ReadSettings(reader);
    EXPECT_TRUE(reader.Finish().ok()) << reader.Finish();
    return read;
  }

  EpisodeBuffers memory_;
};

}  // namespace smax
}  // namespace troupe

#endif  // TROUPE_TESTS_ENVIRONMENTS_SMAX_TEST_SUPPORT_H_
