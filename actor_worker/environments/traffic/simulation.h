// What every traffic simulation offers: the plain description of a signalised network, signals to set, time to pass and
// measurements to read. The built-in simulator and SUMO implement it; signal timing, masks, observations, rewards and
// hand-written controllers live above it (traffic_environment.h) and are the same for both.
//
// Indices: a junction, an approach, a lane and a green phase are numbered from 0. Lanes are numbered through the whole
// network; the lanes that enter one signalised junction are contiguous. Lanes that lead to no signal are not listed.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SIMULATION_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SIMULATION_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace troupe {

// Side of the junction a vehicle comes from. Geometries with other angles take the nearest side; several approaches may
// share one (their measurements add up), a side may be empty.
enum class CompassSlot : int { kNorth = 0, kSouth = 1, kEast = 2, kWest = 3 };
inline constexpr int kCompassSlots = 4;

enum class VehicleType : uint8_t { kCar = 0, kMotorcycle = 1, kBus = 2, kTruck = 3, kEmergency = 4 };
inline constexpr int kVehicleTypes = 5;
inline constexpr std::array<const char*, kVehicleTypes> kVehicleTypeNames = {"car", "motorcycle", "bus", "truck",
                                                                             "emergency"};
// What one vehicle counts in the weighted number of vehicles: passenger-car units, emergency vehicles far above.
inline constexpr std::array<float, kVehicleTypes> kVehicleWeights = {1.0f, 0.5f, 2.5f, 2.0f, 5.0f};

// On the map, metres east and north.
struct MapPoint {
  double x = 0, y = 0;
};

struct TrafficLane {
  std::string name;
  std::string edge;  // the approach it belongs to
  int junction = 0;
  CompassSlot slot = CompassSlot::kNorth;
  double length_m = 0;
  // Bit p set: green phase p of the junction lets (some movement of) this lane go, protected or permissive.
  uint64_t green_phases = 0;
  // Signal-controlled lanes of the edges this lane leads to; empty where it leaves the network or meets no signal.
  std::vector<int> downstream_lanes;
  // For pictures alone: the line its edge's lanes lie to the right of, the end at the stop line last; empty: unknown.
  std::vector<MapPoint> way{};
  int place = 0;  // among the edge's lanes, 0 = next to that line
};

struct TrafficJunction {
  std::string name;
  int first_lane = 0;
  int num_lanes = 0;
  std::vector<std::string> phases{};  // names of the green phases in cycle order; at least one, at most 64
  // Green seconds per phase of the network's own fixed program, for the fixed-time baseline; empty: unknown.
  std::vector<double> program_green_seconds{};
  // Per phase the seconds of its clearing steps: lights the network's program shows when it leaves the phase, before
  // yellow, so that some movements end earlier than others. Each at least 1; empty: no phase has any.
  std::vector<std::vector<int>> clearing_seconds{};
  std::vector<int> neighbours{};                      // junctions one edge away, either direction, ascending
  std::array<int, 2> observed_neighbours = {-1, -1};  // whose phases the agent sees; -1: none
};

struct TrafficNetwork {
  std::string name;
  std::vector<TrafficJunction> junctions;
  std::vector<TrafficLane> lanes;
  std::vector<std::vector<MapPoint>> other_ways{};  // of edges that lead to no signal; for pictures alone
};

enum class SignalStage : uint8_t { kGreen, kClearing, kYellow, kAllRed };

// What a junction's lights show. kGreen: `phase` has green. Else `phase` is being left for `next_phase`; movements that
// both let go stay green, the others show what the phase's clearing step `step` gives them, then yellow, then red.
struct SignalState {
  SignalStage stage = SignalStage::kGreen;
  int phase = 0;
  int next_phase = 0;
  int step = 0;  // of kClearing, else 0
  bool operator==(const SignalState&) const = default;
};

// One lane at the current second.
struct LaneMeasurement {
  float halting = 0;                // vehicles standing (below 0.1 m/s)
  float vehicles = 0;               // vehicles on the lane
  float weighted_vehicles = 0;      // the same, each counted as kVehicleWeights
  float occupancy = 0;              // share of the lane's length covered by vehicles, 0..1
  float waiting_seconds = 0;        // time the standing vehicles have stood, summed
  float first_waiting_seconds = 0;  // time the vehicle nearest to the stop line has stood, 0 while it moves;
                                    // filled from MeasureFirstVehicles on
  float emergency_vehicles = 0;     // emergency vehicles on the lane
  float departed = 0;               // vehicles that crossed the stop line since the previous Measure (or Reset)
};

// Since Reset. "Scheduled" vehicles were due to depart by now, whether the network had room for them or not.
struct TrafficTotals {
  double seconds = 0;
  double scheduled = 0;
  double inserted = 0;
  double finished = 0;
  double waiting_seconds = 0;       // summed standing time of all vehicles inserted, finished or not
  double time_loss_seconds = 0;     // summed loss against free flow of all vehicles inserted, finished or not
  double depart_delay_seconds = 0;  // summed wait to be inserted of all scheduled vehicles, never inserted included
  double emergency_scheduled = 0;
  double emergency_time_loss_seconds = 0;  // of emergency vehicles, depart delay included
  double teleported = 0;                   // vehicles the simulation took out of a gridlock
};

// Not thread-safe. Deterministic: everything follows from Reset's seed and the calls made.
//
// Life: Reset, then SetSignal (any number), Advance, Measure, Totals in any order. Errors of Reset and Advance end the
// episode; the object may be Reset again.
class TrafficSimulation {
 public:
  virtual ~TrafficSimulation() = default;

  // Fixed for the life of the object.
  virtual const TrafficNetwork& network() const = 0;

  // Empty roads (or the scenario's begin); every junction shows green for phase 0.
  virtual absl::Status Reset(uint64_t seed) = 0;

  // Takes effect from the current second on. Called only when a junction's lights change. Implementations may send it
  // together with the next Advance.
  virtual void SetSignal(int junction, const SignalState& state) = 0;

  // Lets `seconds` >= 1 whole seconds pass.
  virtual absl::Status Advance(int seconds) = 0;

  // The same where another Advance comes before the next Measure: what only Measure shows need not be looked at.
  virtual absl::Status AdvanceUnmeasured(int seconds) { return Advance(seconds); }

  // The lanes of network().lanes, in their order. Valid until the next call of anything. Called once per decision.
  virtual absl::Span<const LaneMeasurement> Measure() = 0;

  // From the next Reset on, Measure fills first_waiting_seconds too, which costs time.
  virtual void MeasureFirstVehicles() = 0;

  // May be costly: called once per episode by training, at will by tools and tests.
  virtual absl::Status Totals(TrafficTotals& totals) = 0;
};

// Compass slot for a vehicle heading in direction (dx, dy) towards the junction, y to the north: heading south means it
// comes from the north.
CompassSlot SlotOfHeading(double dx, double dy);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SIMULATION_H_
