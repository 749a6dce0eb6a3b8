// TrafficSimulation by real SUMO: a child process per simulation, spoken to over TraCI.
//
// Every Reset starts a fresh process (about 0.1 s): what an episode brings depends on its seed alone, and nothing leaks
// from one to the next. A SUMO that crashes, hangs longer than step_timeout_seconds or asks for more memory than it may
// makes the call return an error; the next Reset starts another.
//
// An Advance that changes no lights is two exchanges: the step, whose reply brings who departed and arrived, and one
// message that asks for everything about the lanes and the classes of the vehicles that are new. Lanes are asked and
// not subscribed to, for SUMO evaluates subscriptions in each simulated second, whether somebody looks then or not:
// with Advances of 5 s that is five times as much.
//
// Vehicles that pass a whole lane within one Advance are not seen on it: with lanes of 70 m and Advances of 5 s at
// 50 km/h a free-flowing vehicle may be missed in LaneMeasurement::departed. Totals are SUMO's own trip statistics,
// unfinished and never inserted vehicles added.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_SUMO_SIMULATION_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_SUMO_SIMULATION_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
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
  static traci::Message LaneQuestions(const SumoScenario& scenario);
  absl::Status Begin(uint64_t seed);
  absl::Status AdvanceRunning(int seconds);
  absl::Status SubscribeToTrips();
  absl::Status SendSignals();
  absl::Status AskLanesAndTypes();
  absl::Status ReadStepResults(traci::Reader& reply, int count);
  absl::Status ReadSimulationResult(traci::Reader result);
  absl::Status ReadVehicleResult(traci::Reader result);
  absl::Status ReadLanes(traci::Reader& reply);
  // The answers about the vehicles; subscribes to the emergency vehicles among them.
  absl::Status ReadTypes(traci::Reader& reply, const std::vector<std::string>& vehicles);
  absl::Status AddFinished(TrafficTotals& totals);
  absl::Status AddRunning(TrafficTotals& totals);
  absl::Status AddPending(TrafficTotals& totals);
  // The vehicles a list variable holds.
  absl::StatusOr<std::vector<std::string>> VehicleIds(uint8_t command, uint8_t variable);

  const SumoScenario scenario_;
  const SumoOptions options_;
  const traci::Message lane_questions_;
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
  absl::btree_map<std::string, EmergencyTrip> emergency_trips_;  // in order: summed the same way each time
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_SUMO_SIMULATION_H_
