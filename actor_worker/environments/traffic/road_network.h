// A road network as the built-in simulator needs it: nodes, one-way edges, lanes, connections, signal phases, trips.
//
// Written as text, one item per line, `#` starts a comment:
//   network NAME
//   lanes 3 | speed 13.89 | box 13.6      defaults of what follows: lanes per edge, metres per second, metres that a
//                                         junction's box takes from the edges that meet it
//   junction NAME X Y [observe=A,B]       a signalised junction, metres; whose phases its agent sees
//   boundary NAME X Y [in=1] [out=1]      where trips begin and end; weights of trips beginning and ending there
//   road A B [lanes=3] [speed=13.89]      two edges, A_B and B_A
//   oneway A B [lanes=3] [speed=13.89]    one edge, A_B
//   phase JUNCTION NAME G:A>B,C>D [g:A>D] one green phase: movements from node A through the junction to node B,
//                                         G protected, g yielding to oncoming traffic
//   green JUNCTION 25,8,25,8              green seconds of its own fixed program, per phase
// Without phase lines a junction gets, for each axis (N-S, then E-W): through and right turns with yielding left turns;
// left turns alone (where two approaches oppose each other and turn left).
//
// Trips: the share of trips from boundary A to boundary B != A is proportional to in(A) · out(B); the way is the
// fastest (free flow, a left turn costing 6 s, a right turn 2 s).
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_ROAD_NETWORK_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_ROAD_NETWORK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "actor_worker/environments/traffic/simulation.h"

namespace troupe {

enum class Turn : uint8_t { kRight, kThrough, kLeft };

struct RoadNode {
  std::string name;
  double x = 0, y = 0;
  int junction = -1;  // index in TrafficNetwork::junctions, -1: boundary
  double in_weight = 0, out_weight = 0;
};

// One-way. An edge to a boundary has one lane entry here, with the storage of all its lanes.
struct RoadEdge {
  std::string name{};  // FROM_TO
  int from = 0, to = 0;
  double length_m = 0, speed = 0;
  int lanes = 0;
  int first_lane = 0;  // index among all lanes: signalised lanes as in TrafficNetwork, then one per exit edge
};

// A movement from one edge to the next at a junction.
struct RoadConnection {
  int from_edge = 0, to_edge = 0;
  Turn turn = Turn::kThrough;
  int junction = 0;
  int first_lane = 0, last_lane = 0;  // lanes of from_edge it may leave from, global indices, inclusive
  uint64_t protected_phases = 0, yielding_phases = 0;
  std::vector<int> opposing_lanes{};  // lanes whose through and right-turning vehicles it yields to
};

// A trip's way, flattened: steps[first..last], the last on an exit edge.
struct RouteStep {
  int edge = 0;
  int connection = -1;  // to the next step's edge; -1 on the exit edge
};

struct Route {
  int first = 0, last = 0;
  double share = 0;  // of all trips
};

struct RoadNetwork {
  TrafficNetwork traffic;
  std::vector<RoadNode> nodes;
  std::vector<RoadEdge> edges;
  std::vector<RoadConnection> connections;
  std::vector<Route> routes;
  std::vector<RouteStep> steps;
  int total_lanes = 0;  // signalised and exit

  int FindEdge(absl::string_view name) const;            // -1: none
  int FindConnection(int from_edge, int to_edge) const;  // -1: none
  // Adds the way over these edges and returns its number. INVALID_ARGUMENT naming the edge that is unknown or cannot be
  // reached from the one before.
  absl::StatusOr<int> AddRoute(const std::vector<std::string>& edge_names);
};

// INVALID_ARGUMENT "LINE: …" naming the item and what was expected.
absl::StatusOr<RoadNetwork> ParseRoadNetwork(absl::string_view text);

// A built-in network by name ("nine_junctions", "grid_3x3"), or a file at that path. NOT_FOUND when it is neither.
absl::StatusOr<RoadNetwork> LoadRoadNetwork(const std::string& name_or_path);

// Webster's fixed program for expected flows: fills program_green_seconds of junctions that have none.
// F. V. Webster, "Traffic signal settings", Road Research Technical Paper 39, 1958: cycle (1.5 L + 5) / (1 - Y), greens
// in proportion to each phase's critical flow ratio.
void SetWebsterPrograms(RoadNetwork& network, double vehicles_per_hour, double yellow_seconds);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_ROAD_NETWORK_H_
