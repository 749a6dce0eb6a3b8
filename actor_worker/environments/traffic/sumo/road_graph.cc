#include "actor_worker/environments/traffic/sumo/road_graph.h"

#include <queue>

namespace troupe {

RoadGraph::RoadGraph(const NetFile& net) : net_(net) {
  for (const NetConnection& connection : net.connections) {
    if (connection.turnaround) continue;
    const LaneKey from(connection.from_edge, connection.from_lane);
    edge_successors_[connection.from_edge].insert(connection.to_edge);
    lane_successor_edges_[from].insert(connection.to_edge);
    if (connection.signal < 0) feeders_[{connection.to_edge, connection.to_lane}].insert(from);
  }
}

void RoadGraph::AddStopLane(int edge, int lane, int stop_lane) {
  stop_lanes_.emplace_back(edge, lane);
  stop_lane_of_[{edge, lane}] = stop_lane;
  stop_lanes_of_edge_[edge].push_back(stop_lane);
}

std::vector<RoadGraph::Piece> RoadGraph::Pieces(double metres) const {
  std::vector<Piece> pieces;
  std::set<LaneKey> taken;
  for (size_t i = 0; i < stop_lanes_.size(); ++i) {
    pieces.push_back({stop_lanes_[i].first, stop_lanes_[i].second, static_cast<int>(i)});
    taken.insert(stop_lanes_[i]);
  }
  const auto length = [&](const LaneKey& key) { return net_.edges[key.first].lanes[key.second].length_m; };
  for (size_t i = 0; i < stop_lanes_.size(); ++i) {
    std::vector<std::pair<LaneKey, double>> open = {{stop_lanes_[i], metres - length(stop_lanes_[i])}};
    while (!open.empty()) {
      const auto [lane, left] = open.back();
      open.pop_back();
      const auto before = feeders_.find(lane);
      if (left <= 0 || before == feeders_.end()) continue;
      for (const LaneKey& feeder : before->second) {
        const bool leads_elsewhere = edge_successors_.at(feeder.first).size() > 1;
        if (leads_elsewhere || stop_lanes_of_edge_.contains(feeder.first) || !taken.insert(feeder).second) continue;
        pieces.push_back({feeder.first, feeder.second, static_cast<int>(i)});
        open.emplace_back(feeder, left - length(feeder));
      }
    }
  }
  return pieces;
}

std::map<int, double> RoadGraph::Downstream(int stop_lane, double metres) const {
  std::map<int, double> reached;
  std::set<int> done;
  using Entry = std::pair<double, int>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  const auto leads_to = lane_successor_edges_.find(stop_lanes_[stop_lane]);
  if (leads_to == lane_successor_edges_.end()) return reached;
  for (const int edge : leads_to->second) open.emplace(0.0, edge);
  while (!open.empty()) {
    const auto [before, edge] = open.top();
    open.pop();
    if (!done.insert(edge).second || net_.edges[edge].lanes.empty()) continue;
    const double after = before + net_.edges[edge].lanes[0].length_m;
    const auto stops = stop_lanes_of_edge_.find(edge);
    if (stops != stop_lanes_of_edge_.end()) {
      for (const int stop : stops->second) reached.emplace(stop, after);
      continue;
    }
    const auto next = edge_successors_.find(edge);
    if (after > metres || next == edge_successors_.end()) continue;
    for (const int successor : next->second) open.emplace(after, successor);
  }
  return reached;
}

}  // namespace troupe
