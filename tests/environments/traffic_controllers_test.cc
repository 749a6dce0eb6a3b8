#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "actor_worker/environments/traffic/controllers.h"
#include "tests/environments/traffic_test_support.h"

namespace troupe {
namespace {

const SettingsMap kFiveSeconds = {{"decision_interval_seconds", "5"}};

// Mean delay of one controller on traffic_grid.
double Delay(std::unique_ptr<Controller> controller, SettingsMap settings, int episodes) {
  settings["action_set"] = "CHOOSE_PHASE";
  const std::unique_ptr<Environment> environment = MakeTrafficGrid(settings);
  double sum = 0;
  for (int i = 0; i < episodes; ++i) sum += PlayEpisode(*environment, *controller, 7000 + i)->at(1);
  return sum / episodes;
}

TEST(TrafficControllersTest, LongestQueueFirstBeatsMaxPressureBeatsFixedTime) {
  for (const char* network : {"nine_junctions", "grid_3x3"}) {
    SettingsMap settings = kFiveSeconds;
    settings["network"] = network;
    const double fixed = MeanStatistic("fixed_time", "mean_delay_seconds", settings, 3);
    const double pressure = MeanStatistic("max_pressure", "mean_delay_seconds", settings, 3);
    const double queue = MeanStatistic("longest_queue_first", "mean_delay_seconds", settings, 3);
    EXPECT_GT(fixed, 1.2 * pressure) << network;
    EXPECT_GT(pressure, queue) << network;
  }
}

TEST(TrafficControllersTest, EveryBaselineBeatsRandomPlay) {
  SettingsMap settings = kFiveSeconds;
  settings["action_set"] = "CHOOSE_PHASE";
  const std::unique_ptr<Environment> environment = MakeTrafficGrid(settings);
  RandomPlayer random(1);
  const double random_delay = PlayEpisode(*environment, random, 9000)->at(1);
  for (const char* name : {"fixed_time", "actuated", "longest_queue_first", "max_pressure", "max_wave"}) {
    const double delay = MeanStatistic(name, "mean_delay_seconds", kFiveSeconds, 2);
    EXPECT_GT(delay, 10) << name;
    EXPECT_LT(delay, random_delay) << name;
  }
}

TEST(TrafficControllersTest, FixedTimeKeepsToItsProgram) {
  TrafficSettings settings;
  settings.action_set = TrafficActionSet::kChoosePhase;
  settings.episode_seconds = 200;
  ScriptedEnvironment scripted(settings);
  const std::unique_ptr<Controller> controller = MakeFixedTime({.green_seconds = 12});
  ASSERT_TRUE(PlayEpisode(*scripted.environment, *controller, 1).ok());
  int second = 0, changes = 0;
  for (const SignalCall& call : scripted.simulation->calls) {
    if (call.junction != 0 || call.state.stage != SignalStage::kYellow) continue;
    EXPECT_EQ(call.second - second, changes == 0 ? 12 : 15);
    EXPECT_EQ(call.state.next_phase, (call.state.phase + 1) % 3);
    second = call.second;
    ++changes;
  }
  EXPECT_EQ(changes, 13);
}

TEST(TrafficControllersTest, ActuatedStaysWhileUsedAndLeavesAfterTheGap) {
  TrafficSettings settings;
  settings.action_set = TrafficActionSet::kChoosePhase;
  ScriptedEnvironment scripted(settings);
  const std::unique_ptr<Controller> controller =
      MakeActuated({.min_green_seconds = 5, .max_green_seconds = 40, .gap_seconds = 3});
  controller->Begin(*scripted.environment);
  LaneMeasurement& from_west = scripted.simulation->lanes[3];  // of the left junction, served by phase 2
  from_west.vehicles = from_west.halting = 1;
  for (int t = 1; t <= 20; ++t) {
    scripted.simulation->lanes[0].departed = t <= 12 ? 1 : 0;  // N, served, used until second 12
    controller->Act(*scripted.environment, scripted.buffers->observation, scripted.buffers->discrete,
                    scripted.buffers->continuous);
    const int chosen = scripted.buffers->discrete[0][0];
    EXPECT_EQ(chosen, t - 1 < 15 ? 0 : 2) << "decision at second " << t - 1;
    EXPECT_EQ(scripted.buffers->discrete[0][1], 0) << "nobody waits at the right junction";
    ASSERT_TRUE(scripted.Step(chosen, 0).ok());
    if (chosen != 0) return;
  }
  FAIL() << "never left";
}

TEST(TrafficControllersTest, TunedParametersAreNoWorseThanTheirNeighboursOnOtherSeeds) {
  constexpr int kEpisodes = 4;
  constexpr double kTolerance = 1.02;
  for (const char* interval : {"1", "5"}) {
    const SettingsMap settings = {{"decision_interval_seconds", interval}};
    const auto greedy = [&](auto make, GreedyParameters tuned, const char* name) {
      const double best = Delay(make(tuned), settings, kEpisodes);
      for (const int step : {5, 10}) {
        GreedyParameters other = tuned;
        other.min_green_seconds += step;
        EXPECT_LT(best, kTolerance * Delay(make(other), settings, kEpisodes)) << name << " +" << step;
      }
    };
    greedy(MakeLongestQueueFirst, kLongestQueueFirstParameters, "longest_queue_first");
    greedy(MakeMaxPressure, kMaxPressureParameters, "max_pressure");
    greedy(MakeMaxWave, kMaxWaveParameters, "max_wave");
    const double fixed = Delay(MakeFixedTime(), settings, kEpisodes);
    for (const double factor : {0.7, 1.4}) {
      const FixedTimeParameters other{.green_factor = factor * kFixedTimeParameters.green_factor};
      EXPECT_LT(fixed, kTolerance * Delay(MakeFixedTime(other), settings, kEpisodes)) << "fixed_time * " << factor;
    }
    const double actuated = Delay(MakeActuated(), settings, kEpisodes);
    for (const int longest : {15, 25}) {
      ActuatedParameters other = kActuatedParameters;
      other.max_green_seconds = longest;
      EXPECT_LT(actuated, kTolerance * Delay(MakeActuated(other), settings, kEpisodes)) << "actuated " << longest;
    }
  }
}

// Keeps each green for 25 s, then goes on; overrides for emergency vehicles if it may.
class CyclePlayer final : public Controller {
 public:
  explicit CyclePlayer(bool overrides) : overrides_(overrides) {}
  void Begin(const Environment&) override {}
  void Act(const Environment& environment, const JointObservation& observation,
           std::vector<absl::Span<int32_t>>& actions, std::vector<absl::Span<float>>&) override {
    const auto& traffic = dynamic_cast<const TrafficEnvironment&>(environment);
    for (size_t a = 0; a < actions[0].size(); ++a) {
      const uint8_t* const mask = observation.groups[0].action_mask.data() + 4 * a;
      const int green = traffic.signal(traffic.JunctionOf(0, static_cast<int>(a))).seconds_in_stage();
      actions[0][a] = kActionKeep;
      if (mask[kActionKeep] == 0 || (mask[kActionNext] != 0 && green >= 25)) actions[0][a] = kActionNext;
      if (overrides_ && mask[kActionOverride] != 0) actions[0][a] = kActionOverride;
    }
  }

 private:
  const bool overrides_;
};

TEST(TrafficControllersTest, OverrideSavesEmergencyVehiclesMostOfTheirDelay) {
  const std::unique_ptr<Environment> environment = MakeTrafficGrid({{"vehicles_per_hour", "3600"}});
  CyclePlayer plain(false), overriding(true);
  double without = 0, with = 0;
  for (int seed = 0; seed < 4; ++seed) {
    without += PlayEpisode(*environment, plain, seed)->at(5);
    with += PlayEpisode(*environment, overriding, seed)->at(5);
  }
  EXPECT_LT(with, 0.5 * without);
}

}  // namespace
}  // namespace troupe
