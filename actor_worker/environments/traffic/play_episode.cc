#include "actor_worker/environments/traffic/play_episode.h"

#include <memory>
#include <utility>

#include "actor_worker/environments/traffic/queue_simulation.h"
#include "actor_worker/environments/traffic/traffic_environment.h"
#include "common/base/status_macros.h"

namespace troupe {

absl::StatusOr<std::vector<double>> PlayEpisode(Environment& environment, Controller& controller, uint64_t seed) {
  StepBuffers buffers(environment.spec());
  RETURN_IF_ERROR(environment.Reset(seed));
  controller.Begin(environment);
  do {
    environment.Observe(buffers.observation);
    controller.Act(environment, buffers.observation, buffers.discrete, buffers.continuous);
    RETURN_IF_ERROR(environment.Step(buffers.action, buffers.outcome));
  } while (!buffers.outcome.terminated && !buffers.outcome.truncated);
  std::vector<double> statistics(environment.spec().num_statistics());
  environment.EpisodeStatistics(absl::MakeSpan(statistics));
  return statistics;
}

absl::StatusOr<VehicleListResult> RunVehicleList(const RoadNetwork& network, const std::vector<ListedVehicle>& vehicles,
                                                 TrafficSettings settings, Controller& controller, uint64_t seed,
                                                 const QueueModel& model) {
  settings.action_set = TrafficActionSet::kChoosePhase;
  RETURN_IF_ERROR(ValidateTrafficSettings(settings));
  auto simulation = std::make_unique<QueueSimulation>(network, DemandSettings{}, IncidentSettings{}, model);
  RETURN_IF_ERROR(simulation->UseVehicleList(vehicles));
  TrafficEnvironment environment("traffic_grid", std::move(simulation), settings);
  StepBuffers buffers(environment.spec());
  RETURN_IF_ERROR(environment.Reset(seed));
  controller.Begin(environment);
  VehicleListResult result;
  result.mean_queue.resize(environment.lanes().size());
  int decisions = 0;
  do {
    environment.Observe(buffers.observation);
    controller.Act(environment, buffers.observation, buffers.discrete, buffers.continuous);
    RETURN_IF_ERROR(environment.Step(buffers.action, buffers.outcome));
    ++decisions;
    for (size_t i = 0; i < result.mean_queue.size(); ++i) result.mean_queue[i] += environment.lanes()[i].halting;
  } while (!buffers.outcome.truncated);
  for (double& queue : result.mean_queue) queue /= decisions;
  ASSIGN_OR_RETURN(result.totals, environment.Totals());
  return result;
}

std::vector<ListedVehicle> DrawVehicleList(const RoadNetwork& network, const DemandSettings& demand, double seconds,
                                           uint64_t seed) {
  Arrivals arrivals(network, demand);
  arrivals.Reset(seed);
  std::vector<ListedVehicle> vehicles;
  for (; arrivals.next().due_seconds < seconds; arrivals.Take()) {
    const ArrivingVehicle& next = arrivals.next();
    ListedVehicle vehicle{next.due_seconds, {}, next.type};
    const Route& route = network.routes[next.route];
    for (int s = route.first; s <= route.last; ++s) vehicle.edges.push_back(network.edges[network.steps[s].edge].name);
    vehicles.push_back(std::move(vehicle));
  }
  return vehicles;
}

}  // namespace troupe
