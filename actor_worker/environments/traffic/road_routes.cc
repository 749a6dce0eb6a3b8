#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/traffic/road_network_builder.h"

namespace troupe {
namespace {

constexpr double kLeftTurnCostSeconds = 6, kRightTurnCostSeconds = 2;

double TurnCost(Turn turn) {
  return turn == Turn::kLeft ? kLeftTurnCostSeconds : turn == Turn::kRight ? kRightTurnCostSeconds : 0.0;
}

// The fastest way from each edge that starts at `origin`: the connection each edge was reached by (-1: start, -2: not
// reached) and its cost in seconds.
struct FastestWays {
  std::vector<int> by_connection;
  std::vector<double> cost;
};

FastestWays FindFastestWays(const RoadNetwork& network, int origin) {
  const size_t count = network.edges.size();
  FastestWays ways{std::vector<int>(count, -2), std::vector<double>(count, std::numeric_limits<double>::infinity())};
  std::vector<bool> done(count, false);
  for (size_t e = 0; e < count; ++e) {
    if (network.edges[e].from != origin) continue;
    ways.cost[e] = network.edges[e].length_m / network.edges[e].speed;
    ways.by_connection[e] = -1;
  }
  while (true) {
    int nearest = -1;
    for (size_t e = 0; e < count; ++e) {
      if (!done[e] && std::isfinite(ways.cost[e]) && (nearest < 0 || ways.cost[e] < ways.cost[nearest])) {
        nearest = static_cast<int>(e);
      }
    }
    if (nearest < 0) return ways;
    done[nearest] = true;
    for (size_t c = 0; c < network.connections.size(); ++c) {
      const RoadConnection& connection = network.connections[c];
      if (connection.from_edge != nearest) continue;
      const RoadEdge& to = network.edges[connection.to_edge];
      const double cost = ways.cost[nearest] + TurnCost(connection.turn) + to.length_m / to.speed;
      if (cost < ways.cost[connection.to_edge]) {
        ways.cost[connection.to_edge] = cost;
        ways.by_connection[connection.to_edge] = static_cast<int>(c);
      }
    }
  }
}

std::optional<Route> FastestRoute(const FastestWays& ways, int destination, RoadNetwork& network) {
  int last = -1;
  for (int e = 0; e < static_cast<int>(network.edges.size()); ++e) {
    if (network.edges[e].to != destination || ways.by_connection[e] == -2) continue;
    if (last < 0 || ways.cost[e] < ways.cost[last]) last = e;
  }
  if (last < 0) return std::nullopt;
  std::vector<RouteStep> way;
  int connection_out = -1;
  for (int edge = last;;) {
    way.push_back({edge, connection_out});
    connection_out = ways.by_connection[edge];
    if (connection_out < 0) break;
    edge = network.connections[connection_out].from_edge;
  }
  const int first = static_cast<int>(network.steps.size());
  network.steps.insert(network.steps.end(), way.rbegin(), way.rend());
  return Route{first, static_cast<int>(network.steps.size()) - 1, 0};
}

}  // namespace

absl::Status BuildRoutes(RoadNetwork& network) {
  double total = 0;
  const int nodes = static_cast<int>(network.nodes.size());
  for (int origin = 0; origin < nodes; ++origin) {
    if (network.nodes[origin].in_weight <= 0) continue;
    const FastestWays ways = FindFastestWays(network, origin);
    for (int destination = 0; destination < nodes; ++destination) {
      const double weight = network.nodes[origin].in_weight * network.nodes[destination].out_weight;
      if (destination == origin || weight <= 0) continue;
      std::optional<Route> route = FastestRoute(ways, destination, network);
      if (!route) {
        return absl::InvalidArgumentError(absl::StrCat("no way leads from boundary \"", network.nodes[origin].name,
                                                       "\" to \"", network.nodes[destination].name, "\""));
      }
      route->share = weight;
      total += weight;
      network.routes.push_back(*route);
    }
  }
  if (network.routes.empty()) return absl::InvalidArgumentError("the network has no two boundaries with trips between");
  for (Route& route : network.routes) route.share /= total;
  return absl::OkStatus();
}

}  // namespace troupe
