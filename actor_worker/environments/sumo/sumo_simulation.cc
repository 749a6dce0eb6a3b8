#include "actor_worker/environments/sumo/sumo_simulation.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace troupe {

using traci::Message;
using traci::Reader;

SumoSimulation::SumoSimulation(SumoScenario scenario, SumoOptions options)
    : scenario_(std::move(scenario)), options_(std::move(options)) {
  for (size_t i = 0; i < scenario_.lanes.size(); ++i) lane_pieces_[scenario_.lanes[i].id] = static_cast<int>(i);
  live_.resize(scenario_.network.lanes.size());
  measured_ = live_;
}

std::vector<std::string> SumoSimulation::Arguments(uint64_t seed) const {
  std::vector<std::string> arguments = {
      "--configuration-file", scenario_.configuration_path,
      "--seed", absl::StrCat(seed % 2147483647),
      "--xml-validation", "never", "--xml-validation.net", "never", "--xml-validation.routes", "never",
      "--no-step-log", "true", "--no-warnings", "true", "--duration-log.disable", "true",
      "--device.tripinfo.probability", "1", "--precision", "6", "--end", "-1",
      "--ignore-junction-blocker", absl::StrCat(options_.ignore_junction_blocker_seconds),
      "--time-to-teleport", absl::StrCat(options_.time_to_teleport_seconds)};
  arguments.insert(arguments.end(), options_.more_arguments.begin(), options_.more_arguments.end());
  return arguments;
}

absl::Status SumoSimulation::Reset(uint64_t seed) {
  server_.reset();
  unsent_signals_.clear();
  ledger_.Clear();
  emergency_trips_.clear();
  live_.assign(live_.size(), LaneMeasurement());
  absl::Status status = Begin(seed);
  if (!status.ok()) server_.reset();
  return status;
}

absl::Status SumoSimulation::Begin(uint64_t seed) {
  SumoServer::Options options;
  options.installation = options_.installation;
  options.arguments = Arguments(seed);
  options.memory_limit_bytes = options_.memory_limit_mb << 20;
  options.step_timeout = absl::Seconds(options_.step_timeout_seconds);
  ASSIGN_OR_RETURN(server_, SumoServer::Start(options));
  Message ask;
  ask.Get(traci::kGetSimulation, traci::kTime, "");
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(ask));
  Reader time;
  RETURN_IF_ERROR(traci::ReadGetterResponse(reply, traci::kGetSimulation, time));
  begin_seconds_ = now_seconds_ = time.TypedNumber();
  RETURN_IF_ERROR(time.status());
  for (size_t j = 0; j < scenario_.signals.size(); ++j) SetSignal(static_cast<int>(j), SignalState());
  RETURN_IF_ERROR(SendSignals());
  return SubscribeToEverything();
}

absl::Status SumoSimulation::SubscribeToEverything() {
  Message message;
  for (const SumoLane& lane : scenario_.lanes) {
    message.Subscribe(traci::kSubscribeLane, lane.id,
                      {traci::kVehicleIds, traci::kHalting, traci::kOccupancy, traci::kWaitingTime});
  }
  message.Subscribe(traci::kSubscribeSimulation, "",
                    {traci::kDepartedIds, traci::kArrivedIds, traci::kTeleportingIds});
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(message));
  for (const uint8_t command : message.commands()) {
    RETURN_IF_ERROR(traci::ReadCommandStatus(reply, command));
    uint8_t id = 0;
    reply.Command(id);
  }
  return reply.status();
}

void SumoSimulation::SetSignal(int junction, const SignalState& state) {
  if (options_.network_program) return;
  unsent_signals_.emplace_back(junction, LightsOf(scenario_.signals[junction], state));
}

absl::Status SumoSimulation::SendSignals() {
  if (unsent_signals_.empty()) return absl::OkStatus();
  Message message;
  for (const auto& [junction, lights] : unsent_signals_) {
    message.Begin(traci::kSetTrafficLight).Byte(traci::kSignalState).String(scenario_.signals[junction].id);
    message.Byte(traci::kTypeString).String(lights);
  }
  unsent_signals_.clear();
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(message));
  for (const uint8_t command : message.commands()) RETURN_IF_ERROR(traci::ReadCommandStatus(reply, command));
  return absl::OkStatus();
}

absl::Status SumoSimulation::Advance(int seconds) {
  if (server_ == nullptr) return absl::FailedPreconditionError("SUMO is not running: Reset comes first");
  const absl::Status status = AdvanceRunning(seconds);
  if (!status.ok()) server_.reset();
  return status;
}

absl::Status SumoSimulation::AdvanceRunning(int seconds) {
  RETURN_IF_ERROR(SendSignals());
  now_seconds_ += seconds;
  Message message;
  message.Begin(traci::kSimulationStep).Double(now_seconds_);
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(message));
  RETURN_IF_ERROR(traci::ReadCommandStatus(reply, traci::kSimulationStep));
  const int32_t results = reply.Integer();
  RETURN_IF_ERROR(reply.status());
  return ReadResults(reply, results);
}

absl::Status SumoSimulation::ReadResults(Reader& reply, int count) {
  std::vector<Result> lanes, vehicles;
  Reader simulation;
  for (int i = 0; i < count && reply.ok(); ++i) {
    uint8_t id = 0;
    Reader result = reply.Command(id);
    const absl::string_view object = result.String();
    RETURN_IF_ERROR(result.status());
    if (id == traci::kLaneResult) {
      lanes.emplace_back(object, std::move(result));
    } else if (id == traci::kVehicleResult) {
      vehicles.emplace_back(object, std::move(result));
    } else if (id == traci::kSimulationResult) {
      simulation = std::move(result);
    } else {
      reply.Fail(absl::StrCat("a subscription result of kind ", id));
    }
  }
  RETURN_IF_ERROR(reply.status());
  if (lanes.size() != scenario_.lanes.size()) {
    return absl::InternalError(
        absl::StrCat("SUMO reported ", lanes.size(), " lanes, expected ", scenario_.lanes.size()));
  }
  for (LaneMeasurement& lane : live_) lane = LaneMeasurement{.departed = lane.departed};
  RETURN_IF_ERROR(ReadSimulationResult(std::move(simulation)));
  for (Result& lane : lanes) RETURN_IF_ERROR(ReadLaneResult(lane.first, std::move(lane.second)));
  for (Result& vehicle : vehicles) RETURN_IF_ERROR(ReadVehicleResult(vehicle.first, std::move(vehicle.second)));
  ledger_.EndStep(scenario_.network, live_);
  return AskVehicleTypes();
}

absl::Status SumoSimulation::ReadSimulationResult(Reader result) {
  std::vector<absl::string_view> ids;
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

absl::Status SumoSimulation::ReadLaneResult(absl::string_view id, Reader result) {
  const auto piece = lane_pieces_.find(id);
  if (piece == lane_pieces_.end()) return absl::InternalError(absl::StrCat("SUMO reported an unknown lane ", id));
  const SumoLane& lane = scenario_.lanes[piece->second];
  LaneMeasurement& measurement = live_[lane.lane];
  std::vector<absl::string_view> ids;
  const int variables = result.Byte();
  for (int i = 0; i < variables && result.ok(); ++i) {
    const uint8_t variable = result.Byte();
    if (result.Byte() != 0) result.Fail(absl::StrCat("a failed subscription of lane ", id));
    switch (variable) {
      case traci::kVehicleIds:
        result.TypedStringList(ids);
        for (const absl::string_view vehicle : ids) ledger_.See(vehicle, lane.lane);
        break;
      case traci::kHalting:
        measurement.halting += static_cast<float>(result.TypedNumber());
        break;
      case traci::kOccupancy: {
        const double share = lane.length_m / scenario_.network.lanes[lane.lane].length_m;
        measurement.occupancy += static_cast<float>(std::min(1.0, result.TypedNumber()) * share);
        break;
      }
      case traci::kWaitingTime:
        measurement.waiting_seconds += static_cast<float>(result.TypedNumber());
        break;
      default:
        result.Fail(absl::StrCat("variable ", variable, " of lane ", id));
    }
  }
  return result.status();
}

absl::Status SumoSimulation::ReadVehicleResult(absl::string_view id, Reader result) {
  EmergencyTrip& trip = emergency_trips_[id];
  const int variables = result.Byte();
  for (int i = 0; i < variables && result.ok(); ++i) {
    const uint8_t variable = result.Byte();
    if (result.Byte() != 0) result.Fail(absl::StrCat("a failed subscription of vehicle ", id));
    (variable == traci::kTimeLoss ? trip.time_loss_seconds : trip.depart_delay_seconds) = result.TypedNumber();
  }
  return result.status();
}

absl::Status SumoSimulation::AskVehicleTypes() {
  const std::vector<std::string> untyped = ledger_.TakeUntyped();
  if (untyped.empty()) return absl::OkStatus();
  Message ask;
  for (const std::string& id : untyped) ask.Get(traci::kGetVehicle, traci::kVehicleClass, id);
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(ask));
  Message subscribe;
  for (const std::string& id : untyped) {
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
    const absl::string_view vehicle = result.String();
    RETURN_IF_ERROR(reply.status());
    RETURN_IF_ERROR(ReadVehicleResult(vehicle, std::move(result)));
  }
  return absl::OkStatus();
}

absl::Span<const LaneMeasurement> SumoSimulation::Measure() {
  measured_ = live_;
  ledger_.Count(measured_);
  for (LaneMeasurement& lane : live_) lane.departed = 0;
  return measured_;
}

}  // namespace troupe
