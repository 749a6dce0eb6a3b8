#include "actor_worker/environments/traffic/sumo/vehicle_ledger.h"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe {

VehicleType TypeOfVehicleClass(absl::string_view vehicle_class) {
  static constexpr std::array<std::pair<absl::string_view, VehicleType>, 9> kTypes = {{
      {"emergency", VehicleType::kEmergency},
      {"authority", VehicleType::kEmergency},
      {"bus", VehicleType::kBus},
      {"coach", VehicleType::kBus},
      {"truck", VehicleType::kTruck},
      {"trailer", VehicleType::kTruck},
      {"delivery", VehicleType::kTruck},
      {"motorcycle", VehicleType::kMotorcycle},
      {"moped", VehicleType::kMotorcycle},
  }};
  const auto* const found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& row) { return row.first == vehicle_class; });
  return found == kTypes.end() ? VehicleType::kCar : found->second;
}

void VehicleLedger::Clear() {
  before_.clear();
  now_.clear();
  vehicles_.clear();
  untyped_.clear();
  step_ = 0;
}

VehicleLedger::Vehicle& VehicleLedger::Find(absl::string_view id) {
  const auto [found, inserted] = vehicles_.try_emplace(id);
  if (inserted) untyped_.push_back(found->first);
  return found->second;
}

void VehicleLedger::Enter(absl::string_view id) { Find(id); }

void VehicleLedger::Lift(absl::string_view id) {
  const auto found = vehicles_.find(id);
  if (found != vehicles_.end()) found->second.lane = -1;
}

void VehicleLedger::Gone(absl::string_view id) {
  const auto found = vehicles_.find(id);
  if (found == vehicles_.end()) return;
  if (found->second.lane >= 0) {
    for (Sighting& sighting : before_) {
      if (sighting.vehicle == &found->second) sighting.vehicle = nullptr;
    }
  }
  vehicles_.erase(found);
}

void VehicleLedger::See(absl::string_view id, int lane) {
  Vehicle& vehicle = Find(id);
  vehicle.lane = lane;
  vehicle.step = step_;
  now_.push_back({&vehicle, lane});
}

void VehicleLedger::EndStep(const TrafficNetwork& network, std::vector<LaneMeasurement>& lanes) {
  for (const Sighting& sighting : before_) {
    if (sighting.vehicle == nullptr || sighting.vehicle->lane < 0) continue;
    const bool seen = sighting.vehicle->step == step_;
    if (seen && network.lanes[sighting.vehicle->lane].junction == network.lanes[sighting.lane].junction) continue;
    lanes[sighting.lane].departed += 1;
    if (!seen) sighting.vehicle->lane = -1;
  }
  before_.swap(now_);
  now_.clear();
  ++step_;
}

std::vector<std::string> VehicleLedger::TakeUntyped() {
  std::vector<std::string> untyped;
  for (std::string& id : untyped_) {
    if (vehicles_.contains(id)) untyped.push_back(std::move(id));
  }
  untyped_.clear();
  return untyped;
}

void VehicleLedger::SetType(const std::string& id, VehicleType type) {
  const auto found = vehicles_.find(id);
  if (found != vehicles_.end()) found->second.type = type;
}

void VehicleLedger::Count(std::vector<LaneMeasurement>& lanes) const {
  for (const Sighting& sighting : before_) {
    if (sighting.vehicle == nullptr) continue;
    LaneMeasurement& lane = lanes[sighting.lane];
    const VehicleType type = sighting.vehicle->type;
    lane.vehicles += 1;
    lane.weighted_vehicles += kVehicleWeights[static_cast<int>(type)];
    if (type == VehicleType::kEmergency) lane.emergency_vehicles += 1;
  }
}

}  // namespace troupe
