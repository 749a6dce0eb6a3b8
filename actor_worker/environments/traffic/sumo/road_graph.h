// Roads between signals: which lanes feed a stop line, and which stop lines a lane leads to next.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_ROAD_GRAPH_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_ROAD_GRAPH_H_

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "actor_worker/environments/traffic/sumo/net_file.h"

namespace troupe {

class RoadGraph {
 public:
  // `net` must outlive the graph.
  explicit RoadGraph(const NetFile& net);

  // Declares the lane that ends at stop line `stop_lane`; these are numbered from 0 in order.
  void AddStopLane(int edge, int lane, int stop_lane);

  struct Piece {
    int edge = 0;
    int lane = 0;
    int stop_lane = 0;
  };
  // The stop lanes themselves, and before those shorter than `metres` the lanes that feed them and whose edge leads
  // nowhere else, until `metres` are covered. No lane is listed twice.
  std::vector<Piece> Pieces(double metres) const;

  // The stop lanes that are met next when leaving a stop lane, each with the shortest distance, without passing another
  // signal and within `metres` of road.
  std::map<int, double> Downstream(int stop_lane, double metres) const;

 private:
  using LaneKey = std::pair<int, int>;  // edge, lane

  const NetFile& net_;
  std::vector<LaneKey> stop_lanes_;
  std::map<LaneKey, int> stop_lane_of_;
  std::map<int, std::vector<int>> stop_lanes_of_edge_;
  std::map<LaneKey, std::set<LaneKey>> feeders_;  // lanes one unsignalised connection before
  std::map<int, std::set<int>> edge_successors_;  // turnarounds left out
  std::map<LaneKey, std::set<int>> lane_successor_edges_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_ROAD_GRAPH_H_
