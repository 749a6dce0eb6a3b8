// TrafficSimulation by real SUMO: a child process per simulation, spoken to over TraCI.
//
// Every Reset starts a fresh process (about 0.1 s): what an episode brings depends on its seed alone, and nothing leaks
// from one to the next. A SUMO that crashes, hangs longer than step_timeout_seconds or asks for more memory than it may
// makes the call return an error; the next Reset starts another.
//
// An Advance that changes no lights is three exchanges: the step, whose reply brings who departed and arrived; one
// message that asks who is on which lane, and for the classes of the vehicles that are new; and one that asks for the
// rest, of empty lanes only for what may not be nought. AdvanceUnmeasured leaves the last one out. Lanes are asked and
// not subscribed to, for SUMO evaluates subscriptions in each simulated second, whether somebody looks then or not:
// with Advances of 5 s that is five times as much.
//
// Vehicles that pass a whole lane within one Advance are not seen on it: with lanes of 70 m and Advances of 5 s at
// 50 km/h a free-flowing vehicle may be missed in LaneMeasurement::departed. Totals are SUMO's own trip statistics,
// unfinished and never inserted vehicles added.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SUMO_SIMULATION_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SUMO_SIMULATION_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "actor_worker/environments/traffic/simulation.h"
#include "actor_worker/environments/traffic/sumo/scenario.h"
#include "actor_worker/environments/traffic/sumo/sumo_server.h"
#include "actor_worker/environments/traffic/sumo/vehicle_ledger.h"

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
  // What an episode is spoken to.
  std::function<absl::StatusOr<std::unique_ptr<SumoServer>>(const SumoServer::Options&)> start = SumoServer::Start;
};

class SumoSimulation final : public TrafficSimulation {
 public:
  SumoSimulation(SumoScenario scenario, SumoOptions options);

  const TrafficNetwork& network() const override { return scenario_.network; }
  absl::Status Reset(uint64_t seed) override;
  void SetSignal(int junction, const SignalState& state) override;
  absl::Status Advance(int seconds) override;
  absl::Status AdvanceUnmeasured(int seconds) override;
  absl::Span<const LaneMeasurement> Measure() override;
  void MeasureFirstVehicles() override { measures_first_vehicles_ = true; }
  absl::Status Totals(TrafficTotals& totals) override;

  // Of the running SUMO, 0 without one. For tests.
  pid_t process_id() const { return server_ == nullptr ? 0 : server_->pid(); }

  // SUMO's command line for an episode, without the port. For benchmarks too.
  std::vector<std::string> Arguments(uint64_t seed) const;

 private:
  static traci::Message VehicleQuestions(const SumoScenario& scenario);
  absl::Status Begin(uint64_t seed);
  absl::Status AdvanceRunning(int seconds, bool measured);
  absl::Status StepAndLook(int seconds);
  absl::Status SubscribeToTrips();
  absl::Status SendSignals();
  // Who is on which lane, and of what type.
  absl::Status AskVehicles();
  // What stands on the lanes.
  absl::Status AskLanes();
  absl::Status ReadStepResults(traci::Reader& reply, int count);
  absl::Status ReadSimulationResult(traci::Reader result);
  absl::Status ReadVehicleResult(traci::Reader result);
  absl::Status ReadVehicles(traci::Reader& reply);
  // The answers about the vehicles; subscribes to the emergency vehicles among them.
  absl::Status ReadTypes(traci::Reader& reply, const std::vector<std::string>& vehicles);
  absl::Status AddFinished(TrafficTotals& totals);
  absl::Status AddRunning(TrafficTotals& totals);
  absl::Status AddPending(TrafficTotals& totals);
  // The vehicles a list variable holds.
  absl::StatusOr<std::vector<std::string>> VehicleIds(uint8_t command, uint8_t variable);

  const SumoScenario scenario_;
  const SumoOptions options_;
  const traci::Message vehicle_questions_;
  std::unique_ptr<SumoServer> server_;
  double begin_seconds_ = 0;
  double now_seconds_ = 0;
  std::vector<std::pair<int, std::string>> unsent_signals_;
  VehicleLedger ledger_;
  std::vector<LaneMeasurement> live_;      // of the present second, but departed accumulates; types not counted yet
  std::vector<LaneMeasurement> measured_;  // handed out by Measure
  bool measures_first_vehicles_ = false;
  std::vector<std::string> first_vehicles_;  // of scenario_.lanes, the vehicle nearest to the end; empty: none
  struct EmergencyTrip {
    double time_loss_seconds = 0;
    double depart_delay_seconds = 0;
  };
  absl::btree_map<std::string, EmergencyTrip> emergency_trips_;  // in order: summed the same way each time
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SUMO_SIMULATION_H_
