// What SumoSimulation learns of the road after each step.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/traffic/sumo/sumo_simulation.h"
#include "common/base/status_macros.h"

namespace troupe {

using traci::Message;
using traci::Reader;

namespace {

void AskTypes(const std::vector<std::string>& vehicles, Message& ask) {
  for (const std::string& id : vehicles) ask.Get(traci::kGetVehicle, traci::kVehicleClass, id);
}

}  // namespace

absl::Status SumoSimulation::ReadStepResults(Reader& reply, int count) {
  Reader simulation;
  for (int i = 0; i < count && reply.ok(); ++i) {
    uint8_t id = 0;
    Reader result = reply.Command(id);
    if (id == traci::kVehicleResult) {
      RETURN_IF_ERROR(ReadVehicleResult(std::move(result)));
    } else if (id == traci::kSimulationResult) {
      simulation = std::move(result);
    } else {
      reply.Fail(absl::StrCat("a subscription result of kind ", id));
    }
  }
  RETURN_IF_ERROR(reply.status());
  return ReadSimulationResult(std::move(simulation));
}

absl::Status SumoSimulation::ReadSimulationResult(Reader result) {
  std::vector<absl::string_view> ids;
  result.String();
  const int variables = result.Byte();
  for (int i = 0; i < variables && result.ok(); ++i) {
    const uint8_t variable = result.Byte();
    if (result.Byte() != 0) result.Fail("a failed subscription of the simulation");
    result.TypedStringList(ids);
    for (const absl::string_view id : ids) {
      if (variable == traci::kDepartedIds) {
        ledger_.Enter(id);
      } else if (variable == traci::kArrivedIds) {
        ledger_.Gone(id);
      } else {
        ledger_.Lift(id);
      }
    }
  }
  return result.status();
}

absl::Status SumoSimulation::ReadVehicleResult(Reader result) {
  const absl::string_view id = result.String();
  RETURN_IF_ERROR(result.status());
  EmergencyTrip& trip = emergency_trips_[id];
  const int variables = result.Byte();
  for (int i = 0; i < variables && result.ok(); ++i) {
    const uint8_t variable = result.Byte();
    if (result.Byte() != 0) result.Fail(absl::StrCat("a failed subscription of vehicle ", id));
    (variable == traci::kTimeLoss ? trip.time_loss_seconds : trip.depart_delay_seconds) = result.TypedNumber();
  }
  return result.status();
}

Message SumoSimulation::VehicleQuestions(const SumoScenario& scenario) {
  Message ask;
  for (const SumoLane& lane : scenario.lanes) ask.Get(traci::kGetLane, traci::kVehicleIds, lane.id);
  return ask;
}

absl::Status SumoSimulation::AskVehicles() {
  const std::vector<std::string> departed = ledger_.TakeUntyped();
  Message ask = vehicle_questions_;
  AskTypes(departed, ask);
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(ask));
  RETURN_IF_ERROR(ReadVehicles(reply));
  RETURN_IF_ERROR(ReadTypes(reply, departed));

  // Who is on the road without having departed: it came with a loaded state.
  const std::vector<std::string> found = ledger_.TakeUntyped();
  if (found.empty()) return absl::OkStatus();
  Message ask_found;
  AskTypes(found, ask_found);
  ASSIGN_OR_RETURN(reply, server_->Exchange(ask_found));
  return ReadTypes(reply, found);
}

absl::Status SumoSimulation::ReadVehicles(Reader& reply) {
  std::vector<absl::string_view> vehicles;
  for (size_t i = 0; i < scenario_.lanes.size(); ++i) {
    Reader list;
    RETURN_IF_ERROR(traci::ReadGetterResponse(reply, traci::kGetLane, list));
    list.TypedStringList(vehicles);
    RETURN_IF_ERROR(list.status());
    for (const absl::string_view vehicle : vehicles) ledger_.See(vehicle, scenario_.lanes[i].lane);
    // SUMO lists a lane's vehicles from its beginning to its end.
    first_vehicles_[i] = std::string(vehicles.empty() ? absl::string_view() : vehicles.back());
  }
  ledger_.EndStep(scenario_.network, live_);
  return absl::OkStatus();
}

absl::Status SumoSimulation::AskLanes() {
  const auto asks_first_vehicle = [&](size_t piece) {
    return measures_first_vehicles_ && piece < live_.size();  // it ends at a stop line
  };
  // Nobody stands on an empty lane; its end may still be covered by a vehicle whose front has left it.
  Message ask;
  for (size_t i = 0; i < scenario_.lanes.size(); ++i) {
    ask.Get(traci::kGetLane, traci::kOccupancy, scenario_.lanes[i].id);
    if (first_vehicles_[i].empty()) continue;
    ask.Get(traci::kGetLane, traci::kHalting, scenario_.lanes[i].id);
    ask.Get(traci::kGetLane, traci::kWaitingTime, scenario_.lanes[i].id);
    if (asks_first_vehicle(i)) ask.Get(traci::kGetVehicle, traci::kWaitingTime, first_vehicles_[i]);
  }
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(ask));
  for (LaneMeasurement& lane : live_) lane = LaneMeasurement{.departed = lane.departed};
  for (size_t i = 0; i < scenario_.lanes.size(); ++i) {
    const SumoLane& piece = scenario_.lanes[i];
    LaneMeasurement& lane = live_[piece.lane];
    ASSIGN_OR_RETURN(const double occupancy, traci::ReadNumberResponse(reply, traci::kGetLane));
    const double share = piece.length_m / scenario_.network.lanes[piece.lane].length_m;
    lane.occupancy += static_cast<float>(std::min(1.0, occupancy) * share);
    if (first_vehicles_[i].empty()) continue;
    ASSIGN_OR_RETURN(const double halting, traci::ReadNumberResponse(reply, traci::kGetLane));
    ASSIGN_OR_RETURN(const double waiting_seconds, traci::ReadNumberResponse(reply, traci::kGetLane));
    lane.halting += static_cast<float>(halting);
    lane.waiting_seconds += static_cast<float>(waiting_seconds);
    if (!asks_first_vehicle(i)) continue;
    ASSIGN_OR_RETURN(const double first_waiting_seconds, traci::ReadNumberResponse(reply, traci::kGetVehicle));
    lane.first_waiting_seconds = static_cast<float>(first_waiting_seconds);
  }
  return absl::OkStatus();
}

absl::Status SumoSimulation::ReadTypes(Reader& reply, const std::vector<std::string>& vehicles) {
  Message subscribe;
  for (const std::string& id : vehicles) {
    Reader value;
    RETURN_IF_ERROR(traci::ReadGetterResponse(reply, traci::kGetVehicle, value));
    const VehicleType type = TypeOfVehicleClass(value.TypedString());
    RETURN_IF_ERROR(value.status());
    ledger_.SetType(id, type);
    if (type == VehicleType::kEmergency) {
      subscribe.Subscribe(traci::kSubscribeVehicle, id, {traci::kTimeLoss, traci::kDepartDelay});
    }
  }
  if (subscribe.commands().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(reply, server_->Exchange(subscribe));
  for (const uint8_t command : subscribe.commands()) {
    RETURN_IF_ERROR(traci::ReadCommandStatus(reply, command));
    uint8_t id = 0;
    Reader result = reply.Command(id);
    RETURN_IF_ERROR(reply.status());
    RETURN_IF_ERROR(ReadVehicleResult(std::move(result)));
  }
  return absl::OkStatus();
}

}  // namespace troupe
