// The steps from a parsed list of nodes, edges and phase lines to a RoadNetwork that can be simulated.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_ROAD_NETWORK_BUILDER_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_ROAD_NETWORK_BUILDER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "actor_worker/environments/traffic/road_network.h"

namespace troupe {

// One `phase` line, by node numbers.
struct PhaseLine {
  struct Movement {
    int from = 0, to = 0;
    bool yields = false;
  };
  int junction = 0;
  std::string name;
  std::vector<Movement> movements;
};

// Expects traffic.junctions (names, observed neighbours, programs), nodes and edges (without first_lane); fills the
// rest.
absl::Status BuildRoadNetwork(const std::vector<PhaseLine>& phase_lines, RoadNetwork& network);

// Fastest ways between all pairs of boundaries with trips. INVALID_ARGUMENT when a pair is not connected.
absl::Status BuildRoutes(RoadNetwork& network);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_ROAD_NETWORK_BUILDER_H_
