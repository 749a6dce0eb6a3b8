// A SUMO scenario as the traffic environments see it: TrafficNetwork, and what connects its numbers to SUMO's names.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SCENARIO_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SCENARIO_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environments/traffic/simulation.h"
#include "actor_worker/environments/traffic/sumo/net_file.h"
#include "actor_worker/environments/traffic/sumo/signal_phases.h"

namespace troupe {

// A SUMO lane whose vehicles are counted on a lane of the network. Real networks cut approaches into pieces of a few
// metres, so a lane is its stop-line piece and the pieces before it that lead nowhere else, up to kApproachMetres.
struct SumoLane {
  std::string id;
  int lane = 0;  // index into TrafficNetwork::lanes
  double length_m = 0;
};

inline constexpr double kApproachMetres = 150;
// How far apart along the road two signals with none between them are still neighbours.
inline constexpr double kNeighbourMetres = 600;

struct SumoScenario {
  std::string configuration_path;
  std::vector<std::string> configuration_overrides;  // SumoConfiguration::overrides
  TrafficNetwork network;
  std::vector<SumoSignal> signals;  // one per junction of the network
  std::vector<SumoLane> lanes;      // the stop-line pieces first, in the order of the network's lanes
  // Signals no vehicles meet and those with fewer than two green phases to choose from (a ramp meter): no agents, their
  // own program runs.
  std::vector<std::string> own_program_signals;
  // Files that detectors of the additional files write; every copy of the environment writes the same ones.
  std::vector<std::string> written_files;
};

// Errors: as ReadSumoConfiguration and ReadSignalPhases; INVALID_ARGUMENT for a network in which no signal is an agent.
absl::StatusOr<SumoScenario> ReadSumoScenario(const std::string& configuration_path);
absl::StatusOr<SumoScenario> MakeScenario(const NetFile& net, const std::string& name);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SCENARIO_H_
