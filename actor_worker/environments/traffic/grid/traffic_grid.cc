// traffic_grid: signalised junctions of a road network in the built-in simulator. See traffic/traffic_environment.h for
// what agents see and do, traffic/queue_simulation.h for how vehicles move, traffic/road_network.h for networks.
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/traffic/controllers.h"
#include "actor_worker/environments/traffic/queue_simulation.h"
#include "actor_worker/environments/traffic/traffic_environment.h"
#include "common/base/status_macros.h"
#include "common/config/settings_reader.h"

namespace troupe {
namespace {

struct TrafficGridSettings {
  TrafficSettings shared;
  std::string network;
  DemandSettings demand;
  IncidentSettings incident;
};

TrafficGridSettings ReadSettings(SettingsReader& reader) {
  TrafficGridSettings settings;
  settings.network = reader.Text("network", "nine_junctions", "nine_junctions, grid_3x3 or the path of a network file");
  settings.shared = ReadTrafficSettings(reader);
  DemandSettings& demand = settings.demand;
  demand.vehicles_per_hour =
      reader.Number("vehicles_per_hour", demand.vehicles_per_hour, 0, 50000, "mean demand of the whole network");
  const std::string profile = reader.Choice("demand_profile", "constant", {"constant", "rush"},
                                            "rush: 0.6 of the mean, 1.4 in the middle of the episode, 0.6 at its end");
  if (profile == "rush") demand.profile = DemandProfile::kRush;
  const auto share = [&](const char* name, double fallback) {
    return reader.Number(name, fallback, 0, 0.25, "share of all vehicles; cars are the rest");
  };
  demand.motorcycle_share = share("motorcycle_share", demand.motorcycle_share);
  demand.bus_share = share("bus_share", demand.bus_share);
  demand.truck_share = share("truck_share", demand.truck_share);
  demand.emergency_share = share("emergency_share", demand.emergency_share);
  demand.horizon_seconds = settings.incident.horizon_seconds = settings.shared.episode_seconds;
  IncidentSettings& incident = settings.incident;
  incident.probability =
      reader.Number("incident_probability", incident.probability, 0, 1, "that an episode has an incident on one lane");
  incident.duration_seconds =
      reader.Number("incident_seconds", incident.duration_seconds, 1, 86400, "how long an incident lasts");
  incident.headway_factor =
      reader.Number("incident_headway_factor", incident.headway_factor, 1, 100, "headways on that lane meanwhile");
  return settings;
}

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& map) {
  SettingsReader reader(map);
  const TrafficGridSettings settings = ReadSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  RETURN_IF_ERROR(ValidateTrafficSettings(settings.shared));
  absl::StatusOr<RoadNetwork> network = LoadRoadNetwork(settings.network);
  if (!network.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("environment.settings.network: ", network.status().message()));
  }
  SetWebsterPrograms(*network, settings.demand.vehicles_per_hour, settings.shared.yellow_seconds);
  auto simulation = std::make_unique<QueueSimulation>(*std::move(network), settings.demand, settings.incident);
  return std::make_unique<TrafficEnvironment>("traffic_grid", std::move(simulation), settings.shared);
}

}  // namespace

EnvironmentEntry TrafficGridEntry() {
  return {.name = "traffic_grid",
          .summary = "nine signalised junctions, built-in queue simulator, one agent per junction",
          .create = Create,
          .baselines = [](const SettingsMap&) { return TrafficBaselines(); },
          .describe_settings =
              [] {
                SettingsReader reader({});
                ReadSettings(reader);
                return reader.Describe();
              }};
}

}  // namespace troupe
