// The built-in mesoscopic traffic simulator: first-in-first-out queues on lanes, 1 s ticks, sub-second event times.
//
// A vehicle that enters a lane is ready at its stop line after the free-flow time plus what turning and regaining speed
// cost. The head of a lane crosses when its movement has green, at headways that depend on its position since green,
// its type and its turn; yielding left turns wait for a gap in the oncoming traffic; the target lane must have room,
// and room freed at a queue's head reaches its tail with the backward wave. A vehicle stands from when it reaches the
// back of the queue until the start-up wave sets it in motion. Of the lanes its next movement allows, a vehicle takes
// the emptiest with room.
//
// All memory is allocated at construction, but for entry queues longer than 64 vehicles, which grow.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_QUEUE_SIMULATION_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_QUEUE_SIMULATION_H_

#include <memory>
#include <vector>

#include "actor_worker/environments/traffic/arrivals.h"
#include "actor_worker/environments/traffic/queue_model.h"
#include "actor_worker/environments/traffic/road_network.h"
#include "actor_worker/environments/traffic/simulation.h"

namespace troupe {

// A lane that lets vehicles go slowly for a while.
struct IncidentSettings {
  double probability = 0;  // that an episode has one
  double duration_seconds = 900;
  double headway_factor = 4;
  double horizon_seconds = 3600;  // it begins within the first half of this
};

class QueueSimulation final : public TrafficSimulation {
 public:
  QueueSimulation(RoadNetwork network, const DemandSettings& demand, const IncidentSettings& incident = {},
                  const QueueModel& model = {});

  // From now on every episode serves these vehicles instead of random demand. INVALID_ARGUMENT for an impossible way.
  absl::Status UseVehicleList(const std::vector<ListedVehicle>& vehicles);

  const TrafficNetwork& network() const override { return network_.traffic; }
  absl::Status Reset(uint64_t seed) override;
  void SetSignal(int junction, const SignalState& state) override;
  absl::Status Advance(int seconds) override;
  absl::Span<const LaneMeasurement> Measure() override;
  void MeasureFirstVehicles() override { measures_first_vehicles_ = true; }
  absl::Status Totals(TrafficTotals& totals) override;

  // For tests.
  const RoadNetwork& road_network() const { return network_; }
  int vehicles_inside() const;
  int vehicles_waiting_to_enter() const;
  // Metres taken and metres there are.
  float occupied_m(int lane) const { return lanes_[lane].occupied_m; }
  float storage_m(int lane) const { return lanes_[lane].storage_m; }

 private:
  struct Vehicle {
    float free_at;    // would be at the stop line without any loss
    float ready_at;   // is there at the earliest
    float joined_at;  // reached the back of the queue
    float speed_factor;
    int32_t step;  // RouteStep it is on
    VehicleType type;
  };
  struct Release {
    float at, length_m;
  };
  struct Lane {
    int32_t ring = 0;  // its slots in vehicles_ and releases_: ring + (index & mask)
    uint32_t mask = 0;
    uint32_t head = 0, count = 0;  // vehicles on the lane
    uint32_t joined = 0;           // of these, from the head: in the queue
    uint32_t release_head = 0, releases = 0;
    float crossed_at = 0;  // last crossing
    float occupied_m = 0, storage_m = 0;
    float queue_m = 0;  // room taken by the joined
    float covered_m = 0, weighted = 0;
    float speed = 0, length_m = 0;
    float join_sum = 0;  // of joined_at over the joined
    float retry_at = 0;  // blocked until then
    uint16_t emergency = 0, departed = 0;
    uint16_t gone = 0;  // crossings since green
    bool green = false, exit = false;
    float green_since = 0;
  };
  // Vehicles due at one boundary for one movement, waiting for room.
  struct Entry {
    std::vector<ArrivingVehicle> backlog;  // a ring, a power of two long
    uint32_t head = 0, count = 0;
  };
  enum class Aspect : uint8_t { kRed, kYielding, kProtected };

  const Vehicle& At(const Lane& lane, uint32_t index) const {
    return vehicles_[lane.ring + static_cast<int32_t>((lane.head + index) & lane.mask)];
  }
  Vehicle& At(const Lane& lane, uint32_t index) {
    return vehicles_[lane.ring + static_cast<int32_t>((lane.head + index) & lane.mask)];
  }
  void Tick();
  void TakeArrivals(float end);
  void EmptyBacklogs(float end);
  bool TryInsert(const ArrivingVehicle& vehicle, float end);
  int EntryOf(const RouteStep& first_step) const;
  void Push(Entry& entry, const ArrivingVehicle& vehicle);
  void Process(int index, float end);
  void Finish(int index, float at);
  void Cross(int index, int target, float at);
  Vehicle Leave(int index, float at);
  void Enter(int index, const Vehicle& vehicle);
  void JoinQueue(int index, float end);
  bool GapFor(const RoadConnection& connection, float at) const;
  int ChooseLane(const RouteStep& step, float space, float at);
  void FreeRoom(Lane& lane, float until);
  void ScheduleEvent(int index);
  void ScheduleJoin(int index);
  float CrossingTime(int index, const Lane& lane, const Vehicle& vehicle, const RoadConnection& connection) const;
  float FreeTime(const Lane& lane, float speed_factor) const { return lane.length_m / (lane.speed * speed_factor); }

  RoadNetwork network_;
  QueueModel model_;
  IncidentSettings incident_;
  std::unique_ptr<Arrivals> arrivals_;

  std::vector<Lane> lanes_;
  std::vector<float> next_event_, next_join_;  // per lane; infinite: none
  // What the standing-vehicles sum of every tick reads, per lane.
  std::vector<float> joined_count_, moving_from_, gone_count_;
  std::vector<Vehicle> vehicles_;
  std::vector<Release> releases_;
  std::vector<Aspect> aspect_;         // per connection
  std::vector<float> open_until_;      // per connection
  std::vector<Entry> entries_;         // per connection a trip may begin with, then per edge that is a trip by itself
  int backlog_ = 0;                    // vehicles in entries_
  std::vector<float> last_insertion_;  // per lane
  std::vector<std::vector<int>> junction_connections_;
  std::vector<uint8_t> lane_open_;  // scratch of SetSignal
  std::vector<LaneMeasurement> measurements_;
  bool measures_first_vehicles_ = false;

  float now_ = 0;
  int incident_lane_ = -1;
  float incident_begin_ = 0, incident_end_ = 0;
  TrafficTotals totals_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_QUEUE_SIMULATION_H_
