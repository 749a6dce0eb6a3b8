#include "actor_worker/environments/traffic/queue_simulation.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "common/base/random.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr float kNever = std::numeric_limits<float>::infinity();
constexpr uint64_t kIncidentStream = 2;
constexpr size_t kFirstBacklogSlots = 64;

}  // namespace

QueueSimulation::QueueSimulation(RoadNetwork network, const DemandSettings& demand, const IncidentSettings& incident,
                                 const QueueModel& model)
    : network_(std::move(network)), model_(model), incident_(incident) {
  DemandSettings settings = demand;
  settings.speed_deviation = model.speed_deviation;
  arrivals_ = std::make_unique<Arrivals>(network_, settings);
  lanes_.resize(network_.total_lanes);
  for (const RoadEdge& edge : network_.edges) {
    const bool exit = network_.nodes[edge.to].junction < 0;
    for (int i = 0; i < (exit ? 1 : edge.lanes); ++i) {
      Lane& lane = lanes_[edge.first_lane + i];
      lane.exit = exit;
      lane.speed = static_cast<float>(edge.speed);
      lane.length_m = static_cast<float>(edge.length_m);
      lane.storage_m = lane.length_m * static_cast<float>(exit ? edge.lanes : 1);
    }
  }
  int32_t slots = 0;
  const float least_space = *std::min_element(kVehicleSpaces.begin(), kVehicleSpaces.end());
  for (Lane& lane : lanes_) {
    const auto size = std::bit_ceil(static_cast<uint32_t>(lane.storage_m / least_space) + 2);
    lane.ring = slots;
    lane.mask = size - 1;
    slots += static_cast<int32_t>(size);
  }
  vehicles_.resize(slots);
  releases_.resize(slots);
  next_event_.resize(lanes_.size());
  next_join_.resize(lanes_.size());
  joined_count_.resize(lanes_.size());
  moving_from_.resize(lanes_.size());
  gone_count_.resize(lanes_.size());
  last_insertion_.resize(lanes_.size());
  lane_open_.resize(lanes_.size());
  aspect_.resize(network_.connections.size());
  open_until_.resize(network_.connections.size());
  entries_.resize(network_.connections.size() + network_.edges.size());
  junction_connections_.resize(network_.traffic.junctions.size());
  for (size_t c = 0; c < network_.connections.size(); ++c) {
    junction_connections_[network_.connections[c].junction].push_back(static_cast<int>(c));
  }
  for (const Route& route : network_.routes) {
    entries_[EntryOf(network_.steps[route.first])].backlog.resize(kFirstBacklogSlots);
  }
  measurements_.resize(network_.traffic.lanes.size());
}

absl::Status QueueSimulation::UseVehicleList(const std::vector<ListedVehicle>& vehicles) {
  std::vector<ArrivingVehicle> list;
  std::map<std::vector<std::string>, int> known;
  for (const ListedVehicle& vehicle : vehicles) {
    const auto [route, is_new] = known.emplace(vehicle.edges, 0);
    if (is_new) {
      ASSIGN_OR_RETURN(route->second, network_.AddRoute(vehicle.edges));
    }
    list.push_back({vehicle.depart_seconds, route->second, vehicle.type, 1.0f});
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const ArrivingVehicle& a, const ArrivingVehicle& b) { return a.due_seconds < b.due_seconds; });
  arrivals_->UseList(std::move(list));
  return absl::OkStatus();
}

absl::Status QueueSimulation::Reset(uint64_t seed) {
  now_ = 0;
  totals_ = {};
  backlog_ = 0;
  for (Entry& entry : entries_) entry.head = entry.count = 0;
  for (Lane& lane : lanes_) {
    lane.head = lane.count = lane.joined = lane.release_head = lane.releases = 0;
    lane.occupied_m = lane.queue_m = lane.covered_m = lane.weighted = lane.join_sum = 0;
    lane.crossed_at = -1000;
    lane.retry_at = 0;
    lane.emergency = lane.departed = lane.gone = 0;
    lane.green = false;
  }
  std::fill(next_event_.begin(), next_event_.end(), kNever);
  std::fill(next_join_.begin(), next_join_.end(), kNever);
  std::fill(joined_count_.begin(), joined_count_.end(), 0.0f);
  std::fill(moving_from_.begin(), moving_from_.end(), kNever);
  std::fill(gone_count_.begin(), gone_count_.end(), 0.0f);
  std::fill(last_insertion_.begin(), last_insertion_.end(), -1000.0f);
  arrivals_->Reset(seed);
  incident_lane_ = -1;
  RandomStream random(seed, kIncidentStream);
  if (random.UniformDouble() < incident_.probability) {
    incident_lane_ = static_cast<int>(random.Below(static_cast<uint32_t>(measurements_.size())));
    incident_begin_ = static_cast<float>(random.UniformDouble() * incident_.horizon_seconds / 2);
    incident_end_ = incident_begin_ + static_cast<float>(incident_.duration_seconds);
  }
  for (int j = 0; j < static_cast<int>(junction_connections_.size()); ++j) SetSignal(j, SignalState{});
  return absl::OkStatus();
}

void QueueSimulation::SetSignal(int junction, const SignalState& state) {
  const auto open_in = [&](const RoadConnection& connection, int phase) {
    return ((connection.protected_phases | connection.yielding_phases) >> phase & 1) != 0;
  };
  const TrafficJunction& info = network_.traffic.junctions[junction];
  const int last_lane = info.first_lane + info.num_lanes;
  std::fill(lane_open_.begin() + info.first_lane, lane_open_.begin() + last_lane, uint8_t{0});
  for (const int c : junction_connections_[junction]) {
    const RoadConnection& connection = network_.connections[c];
    const bool open = open_in(connection, state.phase);
    const bool stays = state.stage == SignalStage::kGreen || open_in(connection, state.next_phase);
    if (!open || (!stays && state.stage == SignalStage::kAllRed)) {
      aspect_[c] = Aspect::kRed;
      continue;
    }
    aspect_[c] = connection.protected_phases >> state.phase & 1 ? Aspect::kProtected : Aspect::kYielding;
    open_until_[c] = stays ? kNever : now_ + model_.yellow_use_seconds;
    for (int lane = connection.first_lane; lane <= connection.last_lane; ++lane) lane_open_[lane] = 1;
  }
  for (int index = info.first_lane; index < last_lane; ++index) {
    Lane& lane = lanes_[index];
    if (lane_open_[index] != 0 && !lane.green) {
      lane.green_since = moving_from_[index] = now_;
      lane.gone = 0;
      gone_count_[index] = 0;
    } else if (lane_open_[index] == 0) {
      moving_from_[index] = kNever;
    }
    lane.green = lane_open_[index] != 0;
    ScheduleEvent(index);
  }
}

absl::Status QueueSimulation::Advance(int seconds) {
  for (int i = 0; i < seconds; ++i) Tick();
  return absl::OkStatus();
}

absl::Span<const LaneMeasurement> QueueSimulation::Measure() {
  for (size_t i = 0; i < measurements_.size(); ++i) {
    Lane& lane = lanes_[i];
    LaneMeasurement& out = measurements_[i];
    const float set_in_motion = std::floor((now_ - moving_from_[i]) / model_.wave_seconds);
    const float moving = std::max(0.0f, set_in_motion - gone_count_[i]);
    out.halting = std::max(0.0f, joined_count_[i] - moving);
    out.vehicles = static_cast<float>(lane.count);
    out.weighted_vehicles = lane.weighted;
    out.occupancy = std::min(1.0f, lane.covered_m / lane.length_m);
    out.waiting_seconds = std::max(0.0f, joined_count_[i] * now_ - lane.join_sum);
    if (measures_first_vehicles_) {
      const bool stands = out.halting > 0 && moving < 1;
      out.first_waiting_seconds = stands ? std::max(0.0f, now_ - At(lane, 0).joined_at) : 0;
    }
    out.emergency_vehicles = lane.emergency;
    out.departed = lane.departed;
    lane.departed = 0;
  }
  return measurements_;
}

absl::Status QueueSimulation::Totals(TrafficTotals& totals) {
  totals = totals_;
  totals.seconds = now_;
  const auto lose = [&](double seconds, VehicleType type) {
    if (type == VehicleType::kEmergency) totals.emergency_time_loss_seconds += seconds;
  };
  for (const Lane& lane : lanes_) {
    for (uint32_t i = 0; i < lane.count; ++i) {
      const Vehicle& vehicle = At(lane, i);
      const double loss = std::max(0.0f, now_ - vehicle.free_at);
      totals.time_loss_seconds += loss;
      lose(loss, vehicle.type);
    }
  }
  for (const Entry& entry : entries_) {
    for (uint32_t i = 0; i < entry.count; ++i) {
      const ArrivingVehicle& vehicle = entry.backlog[(entry.head + i) & (entry.backlog.size() - 1)];
      const double delay = now_ - vehicle.due_seconds;
      totals.depart_delay_seconds += delay;
      lose(delay, vehicle.type);
    }
  }
  totals.time_loss_seconds = std::max(0.0, totals.time_loss_seconds);  // an empty road: rounding
  return absl::OkStatus();
}

int QueueSimulation::vehicles_inside() const {
  uint32_t count = 0;
  for (const Lane& lane : lanes_) count += lane.count;
  return static_cast<int>(count);
}

int QueueSimulation::vehicles_waiting_to_enter() const { return backlog_; }

}  // namespace troupe
