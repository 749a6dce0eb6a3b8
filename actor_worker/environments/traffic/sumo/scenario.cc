#include "actor_worker/environments/traffic/sumo/scenario.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "actor_worker/environments/traffic/sumo/road_graph.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

double AngleBetween(double x, double y, CompassSlot slot) {
  static constexpr double kFrom[kCompassSlots][2] = {{0, -1}, {0, 1}, {-1, 0}, {1, 0}};
  const double* const from = kFrom[static_cast<int>(slot)];
  const double length = std::max(1e-9, std::hypot(x, y));
  return std::acos(std::clamp((x * from[0] + y * from[1]) / length, -1.0, 1.0));
}

// A side of its own for each of up to four approaches, turned as little as possible; the nearest side for each of more.
std::vector<CompassSlot> SlotsOf(const std::vector<const NetLane*>& approaches) {
  std::vector<CompassSlot> best;
  for (const NetLane* lane : approaches) best.push_back(SlotOfHeading(lane->heading_x, lane->heading_y));
  if (approaches.size() > kCompassSlots) return best;
  std::array<int, kCompassSlots> order = {0, 1, 2, 3};
  double least = std::numeric_limits<double>::infinity();
  do {
    double turned = 0;
    for (size_t i = 0; i < approaches.size(); ++i) {
      const double angle = AngleBetween(approaches[i]->heading_x, approaches[i]->heading_y, CompassSlot{order[i]});
      turned += angle * angle;
    }
    if (turned >= least - 1e-9) continue;
    least = turned;
    for (size_t i = 0; i < approaches.size(); ++i) best[i] = CompassSlot{order[i]};
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

// Letters of the sides with priority (or, without any, with green); a number tells equal ones apart.
void NamePhases(const SumoSignal& signal, const std::map<int, CompassSlot>& slot_of_link, TrafficJunction& junction) {
  std::map<std::string, int> uses;
  for (const SumoPhase& phase : signal.phases) {
    std::string name;
    for (const absl::string_view wanted : {"G", "Gg"}) {
      for (int slot = 0; slot < kCompassSlots && (name.empty() || wanted == "G"); ++slot) {
        const bool served = std::any_of(slot_of_link.begin(), slot_of_link.end(), [&](const auto& link) {
          return static_cast<int>(link.second) == slot &&
                 wanted.find(phase.lights[link.first]) != absl::string_view::npos;
        });
        if (served) name.push_back("NSEW"[slot]);
      }
    }
    if (name.empty()) name.push_back('-');
    const int count = ++uses[name];
    junction.phases.push_back(count == 1 ? name : absl::StrCat(name, count));
  }
}

struct StopLane {
  int edge = 0;
  int lane = 0;
  std::vector<int> links;
  // The links that stand for the lane: straight on if it has any, else its turns, else what there is. A phase that lets
  // only the left-turners of a shared lane go does not clear that lane, for the first who goes on straight blocks it.
  std::vector<int> main_links;
};

TrafficJunction JunctionOf(const SumoSignal& signal) {
  TrafficJunction junction;
  junction.name = signal.id;
  for (const SumoPhase& phase : signal.phases) {
    junction.program_green_seconds.push_back(phase.program_seconds);
    junction.clearing_seconds.push_back(phase.clearing_seconds);
  }
  return junction;
}

// The lanes that stop at a signal, edge by edge in the order of their first link.
std::vector<StopLane> StopLanesOf(const NetFile& net, int signal) {
  std::map<int, int> first_link;
  std::map<std::pair<int, int>, StopLane> stops;
  std::map<std::pair<int, int>, int> rank_of_main;
  for (const NetConnection& connection : net.connections) {
    if (connection.signal != signal || connection.link < 0) continue;
    const auto [edge, inserted] = first_link.try_emplace(connection.from_edge, connection.link);
    if (!inserted) edge->second = std::min(edge->second, connection.link);
    const std::pair key(connection.from_edge, connection.from_lane);
    StopLane& stop = stops[key];
    stop.edge = connection.from_edge;
    stop.lane = connection.from_lane;
    stop.links.push_back(connection.link);
    const int rank = connection.through ? 3 : connection.turnaround ? 1 : 2;
    int& best = rank_of_main[key];
    if (rank > best) stop.main_links.clear();
    best = std::max(best, rank);
    if (rank == best) stop.main_links.push_back(connection.link);
  }
  std::vector<StopLane> lanes;
  for (auto& [key, stop] : stops) lanes.push_back(std::move(stop));
  std::stable_sort(lanes.begin(), lanes.end(),
                   [&](const StopLane& a, const StopLane& b) { return first_link.at(a.edge) < first_link.at(b.edge); });
  return lanes;
}

uint64_t PhasesServing(const SumoSignal& signal, const std::vector<int>& links) {
  uint64_t phases = 0;
  for (size_t p = 0; p < signal.phases.size(); ++p) {
    const std::string& lights = signal.phases[p].lights;
    if (std::any_of(links.begin(), links.end(), [&](int link) { return IsGreenLight(lights[link]); })) {
      phases |= uint64_t{1} << p;
    }
  }
  return phases;
}

absl::Status AddJunction(const NetFile& net, int net_signal, RoadGraph& graph, SumoScenario& scenario) {
  const std::vector<StopLane> stop_lanes = StopLanesOf(net, net_signal);
  std::vector<int> vehicle_links;
  for (const StopLane& lane : stop_lanes) {
    vehicle_links.insert(vehicle_links.end(), lane.links.begin(), lane.links.end());
  }
  ASSIGN_OR_RETURN(SumoSignal signal, ReadSignalPhases(net.signals[net_signal], vehicle_links));
  if (stop_lanes.empty() || signal.phases.size() < 2) {
    scenario.own_program_signals.push_back(signal.id);
    return absl::OkStatus();
  }
  TrafficJunction junction = JunctionOf(signal);

  std::vector<int> edges;
  std::vector<const NetLane*> approaches;
  for (const StopLane& lane : stop_lanes) {
    if (!edges.empty() && edges.back() == lane.edge) continue;
    edges.push_back(lane.edge);
    approaches.push_back(&net.edges[lane.edge].lanes[lane.lane]);
  }
  const std::vector<CompassSlot> slots = SlotsOf(approaches);
  std::map<int, CompassSlot> slot_of_link;
  junction.first_lane = static_cast<int>(scenario.network.lanes.size());
  junction.num_lanes = static_cast<int>(stop_lanes.size());
  for (const StopLane& stop : stop_lanes) {
    TrafficLane lane;
    lane.name = net.edges[stop.edge].lanes[stop.lane].id;
    lane.edge = net.edges[stop.edge].id;
    lane.junction = static_cast<int>(scenario.network.junctions.size());
    lane.slot = slots[std::find(edges.begin(), edges.end(), stop.edge) - edges.begin()];
    lane.way = net.edges[stop.edge].lanes.back().shape;
    lane.place = static_cast<int>(net.edges[stop.edge].lanes.size()) - 1 - stop.lane;
    for (const int link : stop.links) slot_of_link[link] = lane.slot;
    lane.green_phases = PhasesServing(signal, stop.main_links);
    if (lane.green_phases == 0) lane.green_phases = PhasesServing(signal, stop.links);
    graph.AddStopLane(stop.edge, stop.lane, static_cast<int>(scenario.network.lanes.size()));
    scenario.network.lanes.push_back(std::move(lane));
  }
  NamePhases(signal, slot_of_link, junction);
  scenario.network.junctions.push_back(std::move(junction));
  scenario.signals.push_back(std::move(signal));
  return absl::OkStatus();
}

// Of the edges that are no approach, each of their lanes that vehicles use.
void AddOtherWays(const NetFile& net, TrafficNetwork& network) {
  std::set<std::string> approaches;
  for (const TrafficLane& lane : network.lanes) approaches.insert(lane.edge);
  for (const NetEdge& edge : net.edges) {
    if (edge.lanes.empty() || approaches.contains(edge.id)) continue;
    for (const NetLane& lane : edge.lanes) {
      if (!lane.id.empty()) network.other_ways.push_back(edge.lanes.back().shape);
    }
  }
}

void AddNeighbours(const RoadGraph& graph, TrafficNetwork& network) {
  std::vector<std::map<int, double>> distances(network.junctions.size());
  for (size_t i = 0; i < network.lanes.size(); ++i) {
    TrafficLane& lane = network.lanes[i];
    for (const auto& [reached, metres] : graph.Downstream(static_cast<int>(i), kNeighbourMetres)) {
      const int other = network.lanes[reached].junction;
      if (other == lane.junction) continue;
      lane.downstream_lanes.push_back(reached);
      for (const auto& [a, b] : {std::pair(lane.junction, other), std::pair(other, lane.junction)}) {
        const auto [entry, inserted] = distances[a].try_emplace(b, metres);
        if (!inserted) entry->second = std::min(entry->second, metres);
      }
    }
  }
  for (size_t j = 0; j < network.junctions.size(); ++j) {
    TrafficJunction& junction = network.junctions[j];
    std::vector<std::pair<double, int>> nearest;
    for (const auto& [other, metres] : distances[j]) {
      junction.neighbours.push_back(other);
      nearest.emplace_back(metres, other);
    }
    std::sort(nearest.begin(), nearest.end());
    for (size_t i = 0; i < nearest.size() && i < 2; ++i) junction.observed_neighbours[i] = nearest[i].second;
  }
}

}  // namespace

absl::StatusOr<SumoScenario> MakeScenario(const NetFile& net, const std::string& name) {
  SumoScenario scenario;
  scenario.network.name = name;
  RoadGraph graph(net);
  for (size_t s = 0; s < net.signals.size(); ++s) {
    RETURN_IF_ERROR(AddJunction(net, static_cast<int>(s), graph, scenario));
  }
  if (scenario.network.junctions.empty()) {
    const std::string have = net.signals.empty()
                                 ? "no traffic signals"
                                 : absl::StrCat("no traffic signal with two green phases to choose from (",
                                                absl::StrJoin(scenario.own_program_signals, ", "), ")");
    return absl::InvalidArgumentError(absl::StrCat(name, ": the network has ", have, ", so there is nothing to learn"));
  }
  for (const RoadGraph::Piece& piece : graph.Pieces(kApproachMetres)) {
    const NetLane& lane = net.edges[piece.edge].lanes[piece.lane];
    scenario.lanes.push_back({lane.id, piece.stop_lane, lane.length_m});
    scenario.network.lanes[piece.stop_lane].length_m += lane.length_m;
  }
  AddNeighbours(graph, scenario.network);
  AddOtherWays(net, scenario.network);
  return scenario;
}

absl::StatusOr<SumoScenario> ReadSumoScenario(const std::string& configuration_path) {
  ASSIGN_OR_RETURN(const SumoConfiguration configuration, ReadSumoConfiguration(configuration_path));
  ASSIGN_OR_RETURN(const NetFile net, ReadNetFile(configuration));
  const std::filesystem::path path(configuration_path);
  ASSIGN_OR_RETURN(SumoScenario scenario, MakeScenario(net, path.stem().string()));
  std::error_code error;
  scenario.configuration_path = std::filesystem::absolute(path, error).string();
  if (error) return absl::InternalError(absl::StrCat(configuration_path, ": ", error.message()));
  scenario.configuration_overrides = configuration.overrides;
  scenario.written_files = net.written_files;
  return scenario;
}

}  // namespace troupe
