// The trip accounting of SumoSimulation: finished vehicles from SUMO's trip statistics (averages of three decimals
// times their number), running and pending ones vehicle by vehicle.
#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "actor_worker/environments/traffic/sumo/sumo_simulation.h"
#include "common/base/status_macros.h"

namespace troupe {

using traci::Message;
using traci::Reader;

namespace {

absl::StatusOr<double> NextParameter(Reader& reply, uint8_t command) {
  Reader value;
  RETURN_IF_ERROR(traci::ReadGetterResponse(reply, command, value));
  const absl::string_view text = value.TypedString();
  RETURN_IF_ERROR(value.status());
  double number = 0;
  if (!absl::SimpleAtod(text, &number)) {
    return absl::InternalError(absl::StrCat("SUMO gave the parameter value \"", text, "\", expected a number"));
  }
  return number;
}

}  // namespace

absl::Status SumoSimulation::Totals(TrafficTotals& totals) {
  totals = TrafficTotals();
  if (server_ == nullptr) return absl::FailedPreconditionError("SUMO is not running: Reset comes first");
  totals.seconds = now_seconds_ - begin_seconds_;
  absl::Status status = AddFinished(totals);
  if (status.ok()) status = AddRunning(totals);
  if (status.ok()) status = AddPending(totals);
  if (!status.ok()) {
    server_.reset();
    return status;
  }
  for (const auto& [id, trip] : emergency_trips_) {
    totals.emergency_scheduled += 1;
    totals.emergency_time_loss_seconds += trip.time_loss_seconds + trip.depart_delay_seconds;
  }
  return absl::OkStatus();
}

absl::Status SumoSimulation::AddFinished(TrafficTotals& totals) {
  constexpr const char* kKeys[] = {"stats.vehicles.inserted",
                                   "stats.vehicles.waiting",
                                   "stats.teleports.total",
                                   "device.tripinfo.vehicleTripStatistics.count",
                                   "device.tripinfo.vehicleTripStatistics.timeLoss",
                                   "device.tripinfo.vehicleTripStatistics.waitingTime",
                                   "device.tripinfo.vehicleTripStatistics.departDelay"};
  Message ask;
  for (const char* key : kKeys) ask.GetParameter(traci::kGetSimulation, "", key);
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(ask));
  double values[std::size(kKeys)];
  for (double& value : values) {
    ASSIGN_OR_RETURN(value, NextParameter(reply, traci::kGetSimulation));
  }
  const double finished = values[3];
  totals.inserted = values[0];
  totals.scheduled = values[0] + values[1];
  totals.teleported = values[2];
  totals.finished = finished;
  if (finished == 0) return absl::OkStatus();
  totals.time_loss_seconds = values[4] * finished;
  totals.waiting_seconds = values[5] * finished;
  totals.depart_delay_seconds = values[6] * finished;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> SumoSimulation::VehicleIds(uint8_t command, uint8_t variable) {
  Message ask;
  ask.Get(command, variable, "");
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(ask));
  Reader value;
  RETURN_IF_ERROR(traci::ReadGetterResponse(reply, command, value));
  std::vector<absl::string_view> ids;
  value.TypedStringList(ids);
  RETURN_IF_ERROR(value.status());
  return std::vector<std::string>(ids.begin(), ids.end());
}

absl::Status SumoSimulation::AddRunning(TrafficTotals& totals) {
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, VehicleIds(traci::kGetVehicle, traci::kIdList));
  if (ids.empty()) return absl::OkStatus();
  Message ask;
  for (const std::string& id : ids) {
    ask.Get(traci::kGetVehicle, traci::kTimeLoss, id);
    ask.Get(traci::kGetVehicle, traci::kDepartDelay, id);
    ask.GetParameter(traci::kGetVehicle, id, "device.tripinfo.waitingTime");
  }
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(ask));
  for (size_t i = 0; i < ids.size(); ++i) {
    ASSIGN_OR_RETURN(const double time_loss, traci::ReadNumberResponse(reply, traci::kGetVehicle));
    ASSIGN_OR_RETURN(const double depart_delay, traci::ReadNumberResponse(reply, traci::kGetVehicle));
    ASSIGN_OR_RETURN(const double waiting, NextParameter(reply, traci::kGetVehicle));
    totals.time_loss_seconds += time_loss;
    totals.depart_delay_seconds += depart_delay;
    totals.waiting_seconds += waiting;
  }
  return absl::OkStatus();
}

absl::Status SumoSimulation::AddPending(TrafficTotals& totals) {
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, VehicleIds(traci::kGetSimulation, traci::kPendingIds));
  if (ids.empty()) return absl::OkStatus();
  Message ask;
  for (const std::string& id : ids) {
    ask.Get(traci::kGetVehicle, traci::kDepartDelay, id);
    ask.Get(traci::kGetVehicle, traci::kVehicleClass, id);
  }
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(ask));
  for (size_t i = 0; i < ids.size(); ++i) {
    ASSIGN_OR_RETURN(const double depart_delay, traci::ReadNumberResponse(reply, traci::kGetVehicle));
    Reader value;
    RETURN_IF_ERROR(traci::ReadGetterResponse(reply, traci::kGetVehicle, value));
    const VehicleType type = TypeOfVehicleClass(value.TypedString());
    RETURN_IF_ERROR(value.status());
    totals.depart_delay_seconds += depart_delay;
    if (type == VehicleType::kEmergency) {
      totals.emergency_scheduled += 1;
      totals.emergency_time_loss_seconds += depart_delay;
    }
  }
  return absl::OkStatus();
}

}  // namespace troupe
