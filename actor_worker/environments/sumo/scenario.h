// A SUMO scenario as the traffic environments see it: TrafficNetwork, and what connects its numbers to SUMO's names.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_SCENARIO_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_SCENARIO_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environments/sumo/net_file.h"
#include "actor_worker/environments/traffic/simulation.h"

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

struct SumoSignal {
  std::string id;
  std::vector<std::string> green_states;  // per green phase, one letter per link
};

struct SumoScenario {
  std::string configuration_path;
  TrafficNetwork network;
  std::vector<SumoSignal> signals;  // one per junction of the network
  std::vector<SumoLane> lanes;
};

// Green phases are a signal's phases with green and without yellow; equal ones count once. Signals without links for
// vehicles or without green phases keep their own program and are no agents.
// Errors: as ReadSumoConfiguration; INVALID_ARGUMENT for a network without signals or a program shorter than its links.
absl::StatusOr<SumoScenario> ReadSumoScenario(const std::string& configuration_path);
absl::StatusOr<SumoScenario> MakeScenario(const NetFile& net, const std::string& name);

// The lights of a signal as one letter per link. While a phase is left, links that both phases let go stay green (with
// priority only if both give it), the others that had green show yellow, then red.
std::string LightsOf(const SumoSignal& signal, const SignalState& state);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_SCENARIO_H_
