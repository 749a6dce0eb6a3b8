// Shared by the traffic tests: a simulation whose measurements the test writes; ways to create and play environments.
#ifndef TROUPE_TESTS_ENVIRONMENTS_TRAFFIC_TEST_SUPPORT_H_
#define TROUPE_TESTS_ENVIRONMENTS_TRAFFIC_TEST_SUPPORT_H_

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/traffic/play_episode.h"
#include "actor_worker/environments/traffic/traffic_environment.h"
#include "common/base/random.h"

namespace troupe {

EnvironmentEntry TrafficGridEntry();

// One call of SetSignal, and when.
struct SignalCall {
  int second = 0;
  int junction = 0;
  SignalState state;
};

// Two junctions next to each other, each with four lanes (from N, S, E, W) and three phases: 0 serves N and S, 1 serves
// E, 2 serves W. Every phase of the left one is left through clearing steps of `left_clearing` seconds.
class ScriptedSimulation final : public TrafficSimulation {
 public:
  explicit ScriptedSimulation(const std::vector<int>& left_clearing) {
    network_.name = "scripted";
    for (int j = 0; j < 2; ++j) {
      TrafficJunction junction;
      junction.name = j == 0 ? "left" : "right";
      junction.first_lane = 4 * j;
      junction.num_lanes = 4;
      junction.phases = {"NS", "E", "W"};
      if (j == 0) junction.clearing_seconds.assign(3, left_clearing);
      junction.neighbours = {1 - j};
      junction.observed_neighbours = {1 - j, -1};
      network_.junctions.push_back(junction);
      for (int side = 0; side < 4; ++side) {
        TrafficLane lane;
        lane.name = junction.name + std::to_string(side);
        lane.junction = j;
        lane.slot = static_cast<CompassSlot>(side);
        lane.length_m = 100;
        lane.green_phases = side < 2 ? 1 : side == 2 ? 2 : 4;
        network_.lanes.push_back(lane);
      }
    }
    lanes.resize(8);
  }

  const TrafficNetwork& network() const override { return network_; }
  absl::Status Reset(uint64_t) override {
    second = 0;
    calls.clear();
    return absl::OkStatus();
  }
  void SetSignal(int junction, const SignalState& state) override { calls.push_back({second, junction, state}); }
  absl::Status Advance(int seconds) override {
    second += seconds;
    return advance_status;
  }
  absl::Span<const LaneMeasurement> Measure() override {
    measured_ = lanes;
    return measured_;
  }
  void MeasureFirstVehicles() override { measures_first_vehicles = true; }
  absl::Status Totals(TrafficTotals& totals) override {
    totals = totals_to_report;
    return absl::OkStatus();
  }

  std::vector<LaneMeasurement> lanes;  // what the next Measure shows
  std::vector<SignalCall> calls;
  TrafficTotals totals_to_report;
  absl::Status advance_status;
  bool measures_first_vehicles = false;
  int second = 0;

 private:
  TrafficNetwork network_;
  std::vector<LaneMeasurement> measured_;
};

// A TrafficEnvironment over a ScriptedSimulation, its buffers filled.
struct ScriptedEnvironment {
  explicit ScriptedEnvironment(const TrafficSettings& settings, const std::vector<int>& left_clearing = {}) {
    auto owned = std::make_unique<ScriptedSimulation>(left_clearing);
    simulation = owned.get();
    environment = std::make_unique<TrafficEnvironment>("scripted", std::move(owned), settings);
    buffers = std::make_unique<StepBuffers>(environment->spec());
    Restart();
  }
  void Restart() {
    (void)environment->Reset(1);
    environment->Observe(buffers->observation);
  }
  absl::Status Step(int left, int right) {
    buffers->discrete[0][0] = left;
    buffers->discrete[0][1] = right;
    const absl::Status status = environment->Step(buffers->action, buffers->outcome);
    environment->Observe(buffers->observation);
    return status;
  }
  // The mask of junction `agent`, as text: "101".
  std::string Mask(int agent) const {
    const int actions = environment->spec().groups[0].action_size;
    const auto mask = buffers->observation.groups[0].action_mask.subspan(agent * actions, actions);
    std::string text;
    for (const uint8_t allowed : mask) text += allowed != 0 ? '1' : '0';
    return text;
  }

  ScriptedSimulation* simulation = nullptr;
  std::unique_ptr<TrafficEnvironment> environment;
  std::unique_ptr<StepBuffers> buffers;
};

// Takes uniformly random allowed actions.
class RandomPlayer final : public Controller {
 public:
  explicit RandomPlayer(uint64_t seed) : random_(seed) {}
  void Begin(const Environment&) override {}
  void Act(const Environment& environment, const JointObservation& observation,
           std::vector<absl::Span<int32_t>>& actions, std::vector<absl::Span<float>>&) override {
    for (size_t g = 0; g < actions.size(); ++g) {
      const int choices = environment.spec().groups[g].action_size;
      for (size_t a = 0; a < actions[g].size(); ++a) {
        do {
          actions[g][a] = static_cast<int32_t>(random_.Below(choices));
        } while (observation.groups[g].action_mask[a * choices + actions[g][a]] == 0);
      }
    }
  }

 private:
  RandomStream random_;
};

inline std::unique_ptr<Environment> MakeTrafficGrid(const SettingsMap& settings) {
  auto environment = TrafficGridEntry().create(settings);
  return environment.ok() ? *std::move(environment) : nullptr;
}

// The mean of one statistic over episodes first_seed, first_seed + 1, … under a baseline of traffic_grid.
inline double MeanStatistic(const std::string& baseline, const std::string& statistic, SettingsMap settings,
                            int episodes, uint64_t first_seed = 9000) {
  for (const Baseline& row : TrafficGridEntry().baselines(settings)) {
    if (row.name != baseline) continue;
    for (const auto& [name, value] : row.setting_overrides) settings[name] = value;
    const std::unique_ptr<Environment> environment = MakeTrafficGrid(settings);
    const std::unique_ptr<Controller> controller = row.make();
    const std::vector<std::string>& names = environment->spec().statistics;
    const size_t index = std::find(names.begin(), names.end(), statistic) - names.begin();
    double sum = 0;
    for (int i = 0; i < episodes; ++i) sum += PlayEpisode(*environment, *controller, first_seed + i)->at(index);
    return sum / episodes;
  }
  return -1;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ENVIRONMENTS_TRAFFIC_TEST_SUPPORT_H_
