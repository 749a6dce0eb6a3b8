#include "actor_worker/environments/traffic/sumo/sumo_simulation.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace troupe {

using traci::Message;
using traci::Reader;

SumoSimulation::SumoSimulation(SumoScenario scenario, SumoOptions options)
    : scenario_(std::move(scenario)), options_(std::move(options)), vehicle_questions_(VehicleQuestions(scenario_)) {
  live_.resize(scenario_.network.lanes.size());
  measured_ = live_;
  first_vehicles_.resize(scenario_.lanes.size());
}

std::vector<std::string> SumoSimulation::Arguments(uint64_t seed) const {
  std::vector<std::string> arguments = {"--configuration-file",
                                        scenario_.configuration_path,
                                        "--seed",
                                        absl::StrCat(seed % 2147483647),
                                        "--ignore-junction-blocker",
                                        absl::StrCat(options_.ignore_junction_blocker_seconds),
                                        "--time-to-teleport",
                                        absl::StrCat(options_.time_to_teleport_seconds)};
  for (const std::vector<std::string>& more :
       {FixedSumoArguments(), scenario_.configuration_overrides, options_.more_arguments}) {
    arguments.insert(arguments.end(), more.begin(), more.end());
  }
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
  ASSIGN_OR_RETURN(server_, options_.start(options));
  Message ask;
  ask.Get(traci::kGetSimulation, traci::kTime, "");
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(ask));
  Reader time;
  RETURN_IF_ERROR(traci::ReadGetterResponse(reply, traci::kGetSimulation, time));
  begin_seconds_ = now_seconds_ = time.TypedNumber();
  RETURN_IF_ERROR(time.status());
  for (size_t j = 0; j < scenario_.signals.size(); ++j) SetSignal(static_cast<int>(j), SignalState());
  RETURN_IF_ERROR(SendSignals());
  return SubscribeToTrips();
}

absl::Status SumoSimulation::SubscribeToTrips() {
  Message message;
  message.Subscribe(traci::kSubscribeSimulation, "", {traci::kDepartedIds, traci::kArrivedIds, traci::kTeleportingIds});
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(message));
  return traci::ReadCommandStatus(reply, traci::kSubscribeSimulation);
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

absl::Status SumoSimulation::Advance(int seconds) { return AdvanceRunning(seconds, true); }

absl::Status SumoSimulation::AdvanceUnmeasured(int seconds) { return AdvanceRunning(seconds, false); }

absl::Status SumoSimulation::AdvanceRunning(int seconds, bool measured) {
  if (server_ == nullptr) return absl::FailedPreconditionError("SUMO is not running: Reset comes first");
  absl::Status status = StepAndLook(seconds);
  if (status.ok() && measured) status = AskLanes();
  if (!status.ok()) server_.reset();
  return status;
}

absl::Status SumoSimulation::StepAndLook(int seconds) {
  RETURN_IF_ERROR(SendSignals());
  now_seconds_ += seconds;
  Message message;
  message.Begin(traci::kSimulationStep).Double(now_seconds_);
  ASSIGN_OR_RETURN(Reader reply, server_->Exchange(message));
  RETURN_IF_ERROR(traci::ReadCommandStatus(reply, traci::kSimulationStep));
  const int32_t results = reply.Integer();
  RETURN_IF_ERROR(reply.status());
  RETURN_IF_ERROR(ReadStepResults(reply, results));
  return AskVehicles();
}

absl::Span<const LaneMeasurement> SumoSimulation::Measure() {
  measured_ = live_;
  ledger_.Count(measured_);
  for (LaneMeasurement& lane : live_) lane.departed = 0;
  return measured_;
}

}  // namespace troupe
