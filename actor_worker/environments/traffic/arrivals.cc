#include "actor_worker/environments/traffic/arrivals.h"

#include <algorithm>
#include <limits>

namespace troupe {
namespace {

constexpr int kGuide = 64;
constexpr double kRushEdge = 0.6, kRushPeak = 1.4;
constexpr uint64_t kArrivalStream = 1;

}  // namespace

Arrivals::Arrivals(const RoadNetwork& network, const DemandSettings& demand) : network_(network), demand_(demand) {
  double sum = 0;
  for (const Route& route : network.routes) {
    sum += route.share;
    cumulative_share_.push_back(static_cast<float>(sum));
  }
  int candidate = 0;
  for (int slice = 0; slice < kGuide; ++slice) {
    while (candidate + 1 < static_cast<int>(cumulative_share_.size()) &&
           cumulative_share_[candidate] <= static_cast<float>(slice) / kGuide) {
      ++candidate;
    }
    route_guide_.push_back(candidate);
  }
  const double others = demand.motorcycle_share + demand.bus_share + demand.truck_share + demand.emergency_share;
  const std::array<double, kVehicleTypes> shares = {1 - others, demand.motorcycle_share, demand.bus_share,
                                                    demand.truck_share, demand.emergency_share};
  double cumulative = 0;
  for (int type = 0; type < kVehicleTypes; ++type) {
    cumulative += shares[type];
    cumulative_type_[type] = static_cast<float>(cumulative);
  }
  if (demand.profile == DemandProfile::kRush) peak_factor_ = kRushPeak;
}

double Arrivals::ProfileFactor(double seconds) const {
  if (demand_.profile == DemandProfile::kConstant) return 1;
  const double middle = demand_.horizon_seconds / 2;
  const double from_middle = std::min(1.0, std::abs(seconds - middle) / middle);
  return kRushPeak + (kRushEdge - kRushPeak) * from_middle;
}

void Arrivals::Reset(uint64_t seed) {
  random_ = RandomStream(seed, kArrivalStream);
  clock_ = 0;
  list_position_ = 0;
  DrawNext();
}

void Arrivals::Take() { DrawNext(); }

int Arrivals::DrawRoute() {
  const float share = random_.Uniform();
  int route = route_guide_[static_cast<int>(share * kGuide)];
  const int last = static_cast<int>(cumulative_share_.size()) - 1;
  while (route < last && cumulative_share_[route] <= share) ++route;
  return route;
}

void Arrivals::DrawNext() {
  if (use_list_) {
    if (list_position_ < list_.size()) {
      next_ = list_[list_position_++];
      const float spread = random_.Uniform() + random_.Uniform() + random_.Uniform() - 1.5f;
      next_.speed_factor = 1 + 2 * static_cast<float>(demand_.speed_deviation) * spread;
    } else {
      next_.due_seconds = std::numeric_limits<double>::infinity();
    }
    return;
  }
  const double rate = demand_.vehicles_per_hour / 3600 * peak_factor_;
  if (rate <= 0) {
    next_.due_seconds = std::numeric_limits<double>::infinity();
    return;
  }
  do {
    clock_ += random_.Exponential(rate);
  } while (demand_.profile != DemandProfile::kConstant &&
           random_.UniformDouble() * peak_factor_ >= ProfileFactor(clock_));
  next_.due_seconds = clock_;
  next_.route = DrawRoute();
  const float kind = random_.Uniform();
  int type = 0;
  while (type + 1 < kVehicleTypes && cumulative_type_[type] <= kind) ++type;
  next_.type = cumulative_type_[type] > kind ? static_cast<VehicleType>(type) : VehicleType::kCar;
  // A sum of three uniform numbers has deviation 1/2.
  const float spread = random_.Uniform() + random_.Uniform() + random_.Uniform() - 1.5f;
  next_.speed_factor = 1 + 2 * static_cast<float>(demand_.speed_deviation) * spread;
}

}  // namespace troupe
