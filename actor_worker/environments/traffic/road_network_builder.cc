#include "actor_worker/environments/traffic/road_network_builder.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

struct Heading {
  double dx, dy;
};

Heading HeadingOf(const RoadNetwork& network, const RoadEdge& edge) {
  const RoadNode &a = network.nodes[edge.from], &b = network.nodes[edge.to];
  return {b.x - a.x, b.y - a.y};
}

bool IsUTurn(const RoadEdge& from, const RoadEdge& to) { return to.to == from.from; }

Turn TurnBetween(const RoadNetwork& network, const RoadEdge& from, const RoadEdge& to) {
  const Heading a = HeadingOf(network, from), b = HeadingOf(network, to);
  const double angle = std::atan2(a.dx * b.dy - a.dy * b.dx, a.dx * b.dx + a.dy * b.dy);
  if (std::abs(angle) <= std::numbers::pi / 4) return Turn::kThrough;
  return angle > 0 ? Turn::kLeft : Turn::kRight;
}

int Axis(CompassSlot slot) { return slot == CompassSlot::kNorth || slot == CompassSlot::kSouth ? 0 : 1; }

class Builder {
 public:
  Builder(const std::vector<PhaseLine>& phase_lines, RoadNetwork& network)
      : phase_lines_(phase_lines), network_(network) {}

  absl::Status Build() {
    NumberLanes();
    Connect();
    for (int j = 0; j < static_cast<int>(junctions().size()); ++j) {
      RETURN_IF_ERROR(SetPhases(j));
      FindNeighbours(j);
    }
    FindOpposing();
    DescribeLanes();
    return absl::OkStatus();
  }

 private:
  std::vector<TrafficJunction>& junctions() { return network_.traffic.junctions; }
  int JunctionAtEnd(const RoadEdge& edge) const { return network_.nodes[edge.to].junction; }
  CompassSlot SlotOf(const RoadEdge& edge) const {
    const Heading heading = HeadingOf(network_, edge);
    return SlotOfHeading(heading.dx, heading.dy);
  }

  void NumberLanes() {
    int next = 0;
    for (int j = 0; j < static_cast<int>(junctions().size()); ++j) {
      junctions()[j].first_lane = next;
      for (int slot = 0; slot < kCompassSlots; ++slot) {
        for (RoadEdge& edge : network_.edges) {
          if (JunctionAtEnd(edge) != j || static_cast<int>(SlotOf(edge)) != slot) continue;
          edge.first_lane = next;
          next += edge.lanes;
        }
      }
      junctions()[j].num_lanes = next - junctions()[j].first_lane;
    }
    for (RoadEdge& edge : network_.edges) {
      if (JunctionAtEnd(edge) < 0) edge.first_lane = next++;
    }
    network_.total_lanes = next;
  }

  // Which lanes a turn uses, counted from the right: left turns the leftmost, right turns the rightmost; through
  // vehicles all but a left-turn lane of its own (two lanes or more).
  static std::pair<int, int> LanesOf(Turn turn, int lanes, bool left, bool through) {
    const int last = lanes - 1;
    if (turn == Turn::kThrough) return {0, left && lanes > 1 ? last - 1 : last};
    if (turn == Turn::kRight) return {0, through || !left ? 0 : std::max(0, lanes / 2 - 1)};
    return {through ? last : std::min(last, lanes / 2), last};
  }

  void Connect() {
    for (int from = 0; from < static_cast<int>(network_.edges.size()); ++from) {
      const RoadEdge& edge = network_.edges[from];
      const int junction = JunctionAtEnd(edge);
      if (junction < 0) continue;
      const size_t first = network_.connections.size();
      bool left = false, through = false;
      for (int to = 0; to < static_cast<int>(network_.edges.size()); ++to) {
        if (network_.edges[to].from != edge.to || IsUTurn(edge, network_.edges[to])) continue;
        RoadConnection connection{.from_edge = from, .to_edge = to, .junction = junction};
        connection.turn = TurnBetween(network_, edge, network_.edges[to]);
        left |= connection.turn == Turn::kLeft;
        through |= connection.turn == Turn::kThrough;
        network_.connections.push_back(connection);
      }
      for (size_t c = first; c < network_.connections.size(); ++c) {
        RoadConnection& connection = network_.connections[c];
        const auto [low, high] = LanesOf(connection.turn, edge.lanes, left, through);
        connection.first_lane = edge.first_lane + low;
        connection.last_lane = edge.first_lane + high;
      }
    }
  }

  absl::Status SetPhases(int junction) {
    bool written = false;
    for (const PhaseLine& line : phase_lines_) {
      if (line.junction != junction) continue;
      written = true;
      RETURN_IF_ERROR(SetWrittenPhase(line));
    }
    if (!written) SetAxisPhases(junction);
    TrafficJunction& info = junctions()[junction];
    if (info.phases.empty() || info.phases.size() > 64) {
      return absl::InvalidArgumentError(
          absl::StrCat("junction \"", info.name, "\" has ", info.phases.size(), " green phases, expected 1..64"));
    }
    if (!info.program_green_seconds.empty() && info.program_green_seconds.size() != info.phases.size()) {
      return absl::InvalidArgumentError(absl::StrCat("green ", info.name, ": ", info.program_green_seconds.size(),
                                                     " values, expected ", info.phases.size(), ", one per phase"));
    }
    for (const RoadConnection& connection : network_.connections) {
      if (connection.junction == junction && (connection.protected_phases | connection.yielding_phases) == 0) {
        return absl::InvalidArgumentError(absl::StrCat("junction \"", info.name, "\": no phase serves the way from \"",
                                                       network_.edges[connection.from_edge].name, "\" to \"",
                                                       network_.edges[connection.to_edge].name, "\""));
      }
    }
    return absl::OkStatus();
  }

  absl::Status SetWrittenPhase(const PhaseLine& line) {
    TrafficJunction& info = junctions()[line.junction];
    const uint64_t bit = uint64_t{1} << (info.phases.size() & 63);
    for (const PhaseLine::Movement& movement : line.movements) {
      bool found = false;
      for (RoadConnection& connection : network_.connections) {
        if (connection.junction != line.junction || network_.edges[connection.from_edge].from != movement.from ||
            network_.edges[connection.to_edge].to != movement.to) {
          continue;
        }
        (movement.yields ? connection.yielding_phases : connection.protected_phases) |= bit;
        found = true;
      }
      if (!found) {
        return absl::InvalidArgumentError(absl::StrCat("phase ", info.name, " ", line.name, ": no way from \"",
                                                       network_.nodes[movement.from].name, "\" to \"",
                                                       network_.nodes[movement.to].name, "\""));
      }
    }
    info.phases.push_back(line.name);
    return absl::OkStatus();
  }

  void SetAxisPhases(int junction) {
    TrafficJunction& info = junctions()[junction];
    for (int axis = 0; axis < 2; ++axis) {
      std::set<CompassSlot> sides;
      bool left = false, any = false;
      for (const RoadConnection& connection : network_.connections) {
        if (!OnAxis(connection, junction, axis)) continue;
        sides.insert(SlotOf(network_.edges[connection.from_edge]));
        any = true;
        left |= connection.turn == Turn::kLeft;
      }
      if (!any) continue;
      const bool opposed = sides.size() == 2;
      const uint64_t through_bit = uint64_t{1} << info.phases.size();
      info.phases.push_back(axis == 0 ? "NS" : "EW");
      const uint64_t left_bit = opposed && left ? uint64_t{1} << info.phases.size() : 0;
      if (left_bit != 0) info.phases.push_back(axis == 0 ? "NS-left" : "EW-left");
      for (RoadConnection& connection : network_.connections) {
        if (!OnAxis(connection, junction, axis)) continue;
        if (connection.turn == Turn::kLeft) {
          (opposed ? connection.yielding_phases : connection.protected_phases) |= through_bit;
          connection.protected_phases |= left_bit;
        } else {
          connection.protected_phases |= through_bit;
        }
      }
    }
  }

  bool OnAxis(const RoadConnection& connection, int junction, int axis) const {
    return connection.junction == junction && Axis(SlotOf(network_.edges[connection.from_edge])) == axis;
  }

  void FindOpposing() {
    for (RoadConnection& connection : network_.connections) {
      if (connection.yielding_phases == 0) continue;
      const CompassSlot slot = SlotOf(network_.edges[connection.from_edge]);
      std::set<int> lanes;
      for (const RoadConnection& other : network_.connections) {
        if (other.junction != connection.junction || other.turn == Turn::kLeft) continue;
        const CompassSlot other_slot = SlotOf(network_.edges[other.from_edge]);
        if (other_slot == slot || Axis(other_slot) != Axis(slot)) continue;
        for (int lane = other.first_lane; lane <= other.last_lane; ++lane) lanes.insert(lane);
      }
      connection.opposing_lanes.assign(lanes.begin(), lanes.end());
    }
  }

  void FindNeighbours(int junction) {
    std::set<int> found;
    for (const RoadEdge& edge : network_.edges) {
      const int from = network_.nodes[edge.from].junction, to = JunctionAtEnd(edge);
      if (from < 0 || to < 0) continue;
      if (from == junction) found.insert(to);
      if (to == junction) found.insert(from);
    }
    TrafficJunction& info = junctions()[junction];
    info.neighbours.assign(found.begin(), found.end());
    if (info.observed_neighbours[0] >= 0) return;
    for (size_t i = 0; i < info.neighbours.size() && i < 2; ++i) info.observed_neighbours[i] = info.neighbours[i];
  }

  // The middle of its road, without what junctions take of it.
  std::vector<MapPoint> WayOf(const RoadEdge& edge) const {
    const RoadNode &a = network_.nodes[edge.from], &b = network_.nodes[edge.to];
    const double whole = std::hypot(a.x - b.x, a.y - b.y);
    const int boxes = (a.junction >= 0) + (b.junction >= 0);
    const double box = boxes > 0 ? (whole - edge.length_m) / boxes / whole : 0;
    const double begin = a.junction >= 0 ? box : 0, end = b.junction >= 0 ? 1 - box : 1;
    const auto at = [&](double share) { return MapPoint{a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)}; };
    return {at(begin), at(end)};
  }

  void DescribeLanes() {
    std::vector<TrafficLane>& lanes = network_.traffic.lanes;
    lanes.resize(junctions().back().first_lane + junctions().back().num_lanes);
    for (const RoadEdge& edge : network_.edges) {
      if (JunctionAtEnd(edge) < 0) {
        for (int i = 0; i < edge.lanes; ++i) network_.traffic.other_ways.push_back(WayOf(edge));
        continue;
      }
      for (int i = 0; i < edge.lanes; ++i) {
        TrafficLane& lane = lanes[edge.first_lane + i];
        lane.name = absl::StrCat(edge.name, "_", i);
        lane.edge = edge.name;
        lane.junction = JunctionAtEnd(edge);
        lane.slot = SlotOf(edge);
        lane.length_m = edge.length_m;
        lane.way = WayOf(edge);
        lane.place = edge.lanes - 1 - i;
      }
    }
    for (const RoadConnection& connection : network_.connections) {
      const RoadEdge& target = network_.edges[connection.to_edge];
      for (int i = connection.first_lane; i <= connection.last_lane; ++i) {
        lanes[i].green_phases |= connection.protected_phases | connection.yielding_phases;
        if (JunctionAtEnd(target) < 0) continue;
        for (int k = 0; k < target.lanes; ++k) lanes[i].downstream_lanes.push_back(target.first_lane + k);
      }
    }
  }

  const std::vector<PhaseLine>& phase_lines_;
  RoadNetwork& network_;
};

}  // namespace

absl::Status BuildRoadNetwork(const std::vector<PhaseLine>& phase_lines, RoadNetwork& network) {
  return Builder(phase_lines, network).Build();
}

}  // namespace troupe
