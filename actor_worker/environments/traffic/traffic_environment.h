// Traffic signals as a multi-agent environment over any TrafficSimulation: one agent per junction.
//
// What an agent observes and does, and what the global state holds beside all observations: traffic_description.h.
// Masks: during clearing, yellow and all-red only keep (or the phase being changed to); before minimum green no change;
// when the coming interval would pass maximum green only a change; no override without an emergency vehicle.
//
// Agents with equal spaces form one group: "junction" when there is one, else "junction_N_actions", or, where all have
// the four actions and see their phases, "junction_N_phases".
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_TRAFFIC_ENVIRONMENT_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_TRAFFIC_ENVIRONMENT_H_

#include <memory>
#include <string>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/traffic/phase_observation.h"
#include "actor_worker/environments/traffic/signal_timing.h"
#include "actor_worker/environments/traffic/simulation.h"
#include "actor_worker/environments/traffic/traffic_settings.h"

namespace troupe {

inline constexpr int kTrafficFeatures = 17;
inline constexpr int kActionKeep = 0, kActionNext = 1, kActionExtend = 2, kActionOverride = 3;

// The numbers behind one agent's observation before they are divided, in its order; of phases, the phase numbers.
using RawTrafficFeatures = std::array<float, kTrafficFeatures>;

class TrafficEnvironment final : public Environment {
 public:
  // `name` is the environment's name in the registry. Settings must be valid (ValidateTrafficSettings).
  TrafficEnvironment(std::string name, std::unique_ptr<TrafficSimulation> simulation, const TrafficSettings& settings);

  const EnvironmentSpec& spec() const override { return spec_; }
  absl::Status Reset(uint64_t seed) override;
  absl::Status Step(const JointAction& action, StepOutcome& outcome) override;
  void Observe(JointObservation& observation) const override;
  // mean_waiting_seconds per inserted vehicle · mean_delay_seconds (time loss + depart delay) per scheduled vehicle ·
  // mean_time_loss_seconds per inserted vehicle · mean_queue_vehicles standing in the network, over decisions ·
  // throughput_vehicles finished · emergency_delay_seconds per emergency vehicle · total_vehicles scheduled ·
  // unfinished_vehicles · phase_changes · teleported_vehicles
  // Of each agent, over the lanes that lead to its junction: mean_waiting_seconds standing per vehicle that crossed the
  // stop line · mean_queue_vehicles standing · throughput_vehicles that crossed. Queues are seen once per decision, so
  // this waiting is an estimate, and vehicles cross several junctions: the agents' means do not add up to the
  // network's.
  void EpisodeStatistics(absl::Span<double> statistics) const override;
  std::string Render() const override;
  void Draw(Scene& scene) const override;

  // For controllers, tests and tools.
  const TrafficNetwork& network() const { return simulation_->network(); }
  const TrafficSettings& settings() const { return settings_; }
  absl::Span<const LaneMeasurement> lanes() const { return lanes_; }
  const SignalTiming& signal(int junction) const { return signals_[junction]; }
  // The junction of agent `agent` of group `group`.
  int JunctionOf(int group, int agent) const { return group_junctions_[group][agent]; }
  RawTrafficFeatures RawFeatures(int junction) const;
  // What `next` would change to now.
  int NextPhase(int junction) const;
  // The phase that serves most emergency vehicles on the junction's lanes, -1 without any.
  int EmergencyPhase(int junction) const;
  double seconds() const { return seconds_; }
  absl::StatusOr<TrafficTotals> Totals() const;

 private:
  struct JunctionSums {
    float halting = 0, vehicles = 0, departed = 0, emergency = 0, own_reward = 0;
  };
  // Since Reset.
  struct JunctionTotals {
    double halting = 0, standing_seconds = 0, departed = 0;
  };

  bool Allowed(int junction, int action) const;
  void Apply(int junction, int action);
  absl::Status Pass(int seconds);
  void ReadLanes();
  // An agent's numbers with observation APPROACHES.
  void WriteApproaches(int junction, float* out) const;
  void ComputeRewards(StepOutcome& outcome);

  TrafficSettings settings_;
  std::unique_ptr<TrafficSimulation> simulation_;
  EnvironmentSpec spec_;
  std::vector<float> feature_scales_;  // one over what each number is divided by
  std::vector<std::vector<int>> group_junctions_;
  std::vector<SignalTiming> signals_;
  std::unique_ptr<PhaseObservation> phase_observation_;  // null with APPROACHES
  absl::Span<const LaneMeasurement> lanes_;
  std::vector<JunctionSums> sums_;
  std::vector<float> halting_before_;
  std::vector<JunctionTotals> junction_totals_;
  int seconds_ = 0;
  int64_t decisions_ = 0;
  int64_t phase_changes_ = 0;
  double halting_sum_ = 0;
  TrafficTotals final_totals_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_TRAFFIC_ENVIRONMENT_H_
