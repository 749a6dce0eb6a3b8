#include "actor_worker/environments/traffic/play_episode.h"

#include <memory>
#include <utility>

#include "actor_worker/environments/traffic/queue_simulation.h"
#include "actor_worker/environments/traffic/traffic_environment.h"
#include "common/status_macros.h"

namespace troupe {

EpisodeBuffers::EpisodeBuffers(const EnvironmentSpec& spec) {
  size_t floats = spec.state_extras_size, bytes = 0, integers = 0;
  for (const AgentGroupSpec& group : spec.groups) {
    const size_t agents = group.num_agents();
    floats += agents * (group.observation_size + 1 + group.action_size);
    bytes += agents * (1 + group.action_size);
    integers += agents;
  }
  floats_.resize(floats);
  bytes_.resize(bytes);
  integers_.resize(integers);
  float* f = floats_.data();
  uint8_t* b = bytes_.data();
  int32_t* i = integers_.data();
  for (const AgentGroupSpec& group : spec.groups) {
    const size_t agents = group.num_agents(), choices = agents * group.action_size;
    const bool is_discrete = group.action_kind == ActionKind::kDiscrete;
    GroupObservation seen;
    seen.observations = {f, agents * group.observation_size};
    f += seen.observations.size();
    seen.action_mask = {b, is_discrete ? choices : 0};
    b += seen.action_mask.size();
    seen.alive = {b, agents};
    b += agents;
    observation.groups.push_back(seen);
    outcome.rewards.emplace_back(f, agents);
    f += agents;
    continuous.emplace_back(f, is_discrete ? 0 : choices);
    f += continuous.back().size();
    discrete.emplace_back(i, is_discrete ? agents : 0);
    i += discrete.back().size();
    action.groups.push_back({discrete.back(), continuous.back()});
  }
  observation.state_extras = {f, static_cast<size_t>(spec.state_extras_size)};
}

absl::StatusOr<std::vector<double>> PlayEpisode(Environment& environment, Controller& controller, uint64_t seed) {
  EpisodeBuffers buffers(environment.spec());
  RETURN_IF_ERROR(environment.Reset(seed));
  controller.Begin(environment);
  do {
    environment.Observe(buffers.observation);
    controller.Act(environment, buffers.observation, buffers.discrete, buffers.continuous);
    RETURN_IF_ERROR(environment.Step(buffers.action, buffers.outcome));
  } while (!buffers.outcome.terminated && !buffers.outcome.truncated);
  std::vector<double> statistics(environment.spec().statistics.size());
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
  EpisodeBuffers buffers(environment.spec());
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
