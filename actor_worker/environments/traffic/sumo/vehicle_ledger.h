// Which vehicles are on which signalised lane, of what type, and which left over a stop line.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_VEHICLE_LEDGER_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_VEHICLE_LEDGER_H_

#include <string>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "actor_worker/environments/traffic/simulation.h"

namespace troupe {

// A type for each of SUMO's vehicle classes (https://sumo.dlr.de/docs/Vehicle_Type_Parameter_Defaults.html).
VehicleType TypeOfVehicleClass(absl::string_view vehicle_class);

// One simulation's vehicles. Life of a vehicle: Enter when it departs, Gone when it arrives. Each second that is looked
// at: Gone and Lift for those that arrived or teleported, See for each vehicle on a lane, then EndStep.
class VehicleLedger {
 public:
  void Clear();
  void Enter(absl::string_view id);
  void Gone(absl::string_view id);
  // Takes a vehicle off its lane without it having crossed the stop line.
  void Lift(absl::string_view id);
  void See(absl::string_view id, int lane);
  // Adds one to lanes[l].departed for every vehicle seen on l at the last step and now on no lane of its junction.
  void EndStep(const TrafficNetwork& network, std::vector<LaneMeasurement>& lanes);

  // Vehicles entered or seen whose type is not known yet; until SetType they count as cars. Emptied by the call.
  std::vector<std::string> TakeUntyped();
  void SetType(const std::string& id, VehicleType type);

  // Adds vehicles, weighted_vehicles and emergency_vehicles of the last step.
  void Count(std::vector<LaneMeasurement>& lanes) const;

 private:
  struct Vehicle {
    VehicleType type = VehicleType::kCar;
    int lane = -1;  // signalised lane it was last seen on; -1: none
    int64_t step = -1;
  };
  struct Sighting {
    Vehicle* vehicle;  // null when it is gone
    int lane;
  };

  Vehicle& Find(absl::string_view id);

  absl::node_hash_map<std::string, Vehicle> vehicles_;
  std::vector<Sighting> before_, now_;  // at the last finished step, at this one
  std::vector<std::string> untyped_;
  int64_t step_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_VEHICLE_LEDGER_H_
