#include <algorithm>
#include <vector>

#include "actor_worker/environments/traffic/road_network.h"

namespace troupe {
namespace {

constexpr double kSaturationPerHour = 1750, kYieldingSharePerHour = 150, kStartLossSeconds = 2;
constexpr double kLeastCycleSeconds = 40, kLongestCycleSeconds = 120, kLeastGreenSeconds = 5;

}  // namespace

void SetWebsterPrograms(RoadNetwork& network, double vehicles_per_hour, double yellow_seconds) {
  std::vector<double> flow(network.connections.size(), 0.0);
  for (const Route& route : network.routes) {
    for (int s = route.first; s < route.last; ++s) flow[network.steps[s].connection] += route.share * vehicles_per_hour;
  }
  for (size_t j = 0; j < network.traffic.junctions.size(); ++j) {
    TrafficJunction& junction = network.traffic.junctions[j];
    const size_t phases = junction.phases.size();
    if (!junction.program_green_seconds.empty()) continue;
    std::vector<double> critical(phases, 0.0);
    for (size_t c = 0; c < network.connections.size(); ++c) {
      const RoadConnection& connection = network.connections[c];
      if (connection.junction != static_cast<int>(j)) continue;
      // Through and right-turning vehicles of an approach share its lanes; a left turn also goes while yielding.
      double shared = 0;
      int first = connection.first_lane, last = connection.last_lane;
      for (size_t d = 0; d < network.connections.size(); ++d) {
        const RoadConnection& other = network.connections[d];
        if (other.from_edge != connection.from_edge || other.protected_phases != connection.protected_phases) continue;
        shared += flow[d];
        first = std::min(first, other.first_lane);
        last = std::max(last, other.last_lane);
      }
      if (connection.yielding_phases != 0) shared = std::max(0.0, shared - kYieldingSharePerHour);
      const double ratio = shared / (kSaturationPerHour * (last - first + 1));
      for (size_t p = 0; p < phases; ++p) {
        if (connection.protected_phases >> p & 1) critical[p] = std::max(critical[p], ratio);
      }
    }
    double sum = 0;
    for (const double ratio : critical) sum += ratio;
    const double lost = static_cast<double>(phases) * (kStartLossSeconds + yellow_seconds - 1);
    const double yellow = static_cast<double>(phases) * yellow_seconds;
    const double cycle = sum >= 0.9
                             ? kLongestCycleSeconds
                             : std::clamp((1.5 * lost + 5) / (1 - sum), kLeastCycleSeconds, kLongestCycleSeconds);
    for (const double ratio : critical) {
      const double share = sum > 0 ? ratio / sum : 1.0 / static_cast<double>(phases);
      junction.program_green_seconds.push_back(std::max(kLeastGreenSeconds, share * (cycle - yellow)));
    }
  }
}

}  // namespace troupe
