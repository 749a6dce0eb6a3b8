// Whole episodes under one controller, outside training: for validation against SUMO, tuning, tests and benchmarks.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_PLAY_EPISODE_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_PLAY_EPISODE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/episode_buffers.h"
#include "actor_worker/environments/traffic/arrivals.h"
#include "actor_worker/environments/traffic/queue_model.h"
#include "actor_worker/environments/traffic/road_network.h"
#include "actor_worker/environments/traffic/simulation.h"
#include "actor_worker/environments/traffic/traffic_settings.h"

namespace troupe {

// One time step of one copy of an environment: memory and the views its calls take.
class StepBuffers {
 public:
  explicit StepBuffers(const EnvironmentSpec& spec) : memory_(spec, 1) {}
  StepBuffers(const StepBuffers&) = delete;
  StepBuffers& operator=(const StepBuffers&) = delete;

 private:
  EpisodeBuffers memory_;

 public:
  JointObservation& observation = memory_.copies[0].observation;
  JointAction& action = memory_.copies[0].action;
  StepOutcome& outcome = memory_.copies[0].outcome;
  std::vector<absl::Span<int32_t>>& discrete = memory_.copies[0].discrete;
  std::vector<absl::Span<float>>& continuous = memory_.copies[0].continuous;
};

// Resets with the seed and steps to the end of the episode; returns what it reports, as spec().statistics says.
absl::StatusOr<std::vector<double>> PlayEpisode(Environment& environment, Controller& controller, uint64_t seed);

// What a fixed list of vehicles met in the built-in simulator.
struct VehicleListResult {
  TrafficTotals totals;
  // Per lane of the network: standing vehicles, averaged over the decisions.
  std::vector<double> mean_queue;
};

// Lets `controller` (one that chooses phases freely) serve the vehicles for settings.episode_seconds; decisions at
// settings.decision_interval_seconds. Errors: INVALID_ARGUMENT for an impossible way or settings.
absl::StatusOr<VehicleListResult> RunVehicleList(const RoadNetwork& network, const std::vector<ListedVehicle>& vehicles,
                                                 TrafficSettings settings, Controller& controller, uint64_t seed,
                                                 const QueueModel& model = {});

// Vehicles as the random demand of `seed` would bring them, to hand the same list to another simulator.
std::vector<ListedVehicle> DrawVehicleList(const RoadNetwork& network, const DemandSettings& demand, double seconds,
                                           uint64_t seed);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_PLAY_EPISODE_H_
