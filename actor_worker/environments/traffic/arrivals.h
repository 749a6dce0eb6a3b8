// Where vehicles come from: a seeded Poisson stream over a network's trips, or a fixed list.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_ARRIVALS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_ARRIVALS_H_

#include <array>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environments/traffic/road_network.h"
#include "common/base/random.h"

namespace troupe {

enum class DemandProfile {
  kConstant,
  kRush,  // 0.6 of the mean at first, 1.4 in the middle of the horizon, 0.6 at its end; linear between
};

struct DemandSettings {
  double vehicles_per_hour = 5400;
  DemandProfile profile = DemandProfile::kConstant;
  double horizon_seconds = 3600;  // what a profile stretches over; its last value holds afterwards
  // Shares of the types but cars, which are the rest.
  double motorcycle_share = 0.02, bus_share = 0.06, truck_share = 0.06, emergency_share = 0.01;
  double speed_deviation = 0.1;
};

struct ArrivingVehicle {
  double due_seconds = 0;
  int route = 0;
  VehicleType type = VehicleType::kCar;
  float speed_factor = 1;  // desired speed against the limit
};

// One vehicle of a fixed list: when, over which edges, what.
struct ListedVehicle {
  double depart_seconds = 0;
  std::vector<std::string> edges;
  VehicleType type = VehicleType::kCar;
};

// Not thread-safe.
class Arrivals {
 public:
  // `network` must outlive this object.
  Arrivals(const RoadNetwork& network, const DemandSettings& demand);

  // Serves this list (sorted by departure, routes already added to the network) instead of the Poisson stream.
  void UseList(std::vector<ArrivingVehicle> vehicles) {
    list_ = std::move(vehicles);
    use_list_ = true;
  }

  void Reset(uint64_t seed);
  // The next vehicle, without taking it; its due time is infinite when none comes any more.
  const ArrivingVehicle& next() const { return next_; }
  void Take();

  // The profile's factor at a time; its mean over the horizon is 1.
  double ProfileFactor(double seconds) const;

 private:
  void DrawNext();
  int DrawRoute();

  const RoadNetwork& network_;
  DemandSettings demand_;
  double peak_factor_ = 1;
  std::vector<float> cumulative_share_;
  std::vector<int> route_guide_;  // first candidate of each 1/kGuide slice
  std::array<float, kVehicleTypes> cumulative_type_{};
  bool use_list_ = false;
  std::vector<ArrivingVehicle> list_;
  size_t list_position_ = 0;
  RandomStream random_{0};
  double clock_ = 0;
  ArrivingVehicle next_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_ARRIVALS_H_
