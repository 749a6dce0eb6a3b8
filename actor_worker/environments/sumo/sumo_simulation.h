// TrafficSimulation by real SUMO: a child process per simulation, spoken to over TraCI.
//
// Every Reset starts a fresh process (about 0.1 s): what an episode brings depends on its seed alone, and nothing leaks
// from one to the next. A SUMO that crashes, hangs longer than step_timeout_seconds or asks for more memory than it may
// makes the call return an error; the next Reset starts another.
//
// Measured over lane subscriptions, one reply per Advance. Vehicles that pass a whole lane within one Advance are not
// seen on it: with lanes of 70 m and Advances of 5 s at 50 km/h a free-flowing vehicle may be missed in
// LaneMeasurement::departed. Totals are SUMO's own trip statistics, unfinished and never inserted vehicles added.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_SUMO_SIMULATION_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_SUMO_SIMULATION_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "actor_worker/environments/sumo/scenario.h"
#include "actor_worker/environments/sumo/sumo_server.h"
#include "actor_worker/environments/sumo/vehicle_ledger.h"
#include "actor_worker/environments/traffic/simulation.h"

namespace troupe {

struct SumoOptions {
  SumoInstallation installation;
  // Leave the lights to the network's own programs: SetSignal does nothing.
  bool network_program = false;
  int ignore_junction_blocker_seconds = 5;  // -1: never
  int time_to_teleport_seconds = -1;        // -1: never
  int64_t memory_limit_mb = 2048;
  double step_timeout_seconds = 60;
  std::vector<std::string> more_arguments;
};

class SumoSimulation final : public TrafficSimulation {
 public:
  SumoSimulation(SumoScenario scenario, SumoOptions options);

  const TrafficNetwork& network() const override { return scenario_.network; }
  absl::Status Reset(uint64_t seed) override;
  void SetSignal(int junction, const SignalState& state) override;
  absl::Status Advance(int seconds) override;
  absl::Span<const LaneMeasurement> Measure() override;
  absl::Status Totals(TrafficTotals& totals) override;

  // Of the running SUMO, 0 without one. For tests.
  pid_t process_id() const { return server_ == nullptr ? 0 : server_->pid(); }

  // SUMO's command line for an episode, without the port. For benchmarks too.
  std::vector<std::string> Arguments(uint64_t seed) const;

 private:
  absl::Status Begin(uint64_t seed);
  absl::Status AdvanceRunning(int seconds);
  absl::Status SubscribeToEverything();
  absl::Status SendSignals();
  // One object's values inside a subscription's result.
  using Result = std::pair<absl::string_view, traci::Reader>;
  absl::Status ReadResults(traci::Reader& reply, int count);
  absl::Status ReadSimulationResult(traci::Reader result);
  absl::Status ReadLaneResult(absl::string_view id, traci::Reader result);
  absl::Status ReadVehicleResult(absl::string_view id, traci::Reader result);
  absl::Status AskVehicleTypes();
  absl::Status AddFinished(TrafficTotals& totals);
  absl::Status AddRunning(TrafficTotals& totals);
  absl::Status AddPending(TrafficTotals& totals);
  // The vehicles a list variable holds.
  absl::StatusOr<std::vector<std::string>> VehicleIds(uint8_t command, uint8_t variable);

  const SumoScenario scenario_;
  const SumoOptions options_;
  absl::flat_hash_map<std::string, int> lane_pieces_;  // SUMO lane → index into scenario_.lanes
  std::unique_ptr<SumoServer> server_;
  double begin_seconds_ = 0;
  double now_seconds_ = 0;
  std::vector<std::pair<int, std::string>> unsent_signals_;
  VehicleLedger ledger_;
  std::vector<LaneMeasurement> live_;      // of the present second, but departed accumulates; types not counted yet
  std::vector<LaneMeasurement> measured_;  // handed out by Measure
  struct EmergencyTrip {
    double time_loss_seconds = 0;
    double depart_delay_seconds = 0;
  };
  absl::flat_hash_map<std::string, EmergencyTrip> emergency_trips_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_SUMO_SIMULATION_H_
