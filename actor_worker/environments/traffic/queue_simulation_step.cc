#include <algorithm>
#include <limits>

#include "actor_worker/environments/traffic/queue_simulation.h"

namespace troupe {
namespace {

constexpr float kNever = std::numeric_limits<float>::infinity();

template <size_t N>
float AtOrLast(const std::array<float, N>& values, int position) {
  return values[std::clamp(position, 0, static_cast<int>(N) - 1)];
}

int TypeIndex(VehicleType type) { return static_cast<int>(type); }

}  // namespace

void QueueSimulation::Tick() {
  const float end = now_ + 1;
  EmptyBacklogs(end);
  TakeArrivals(end);
  const int lanes = static_cast<int>(lanes_.size());
  for (int i = 0; i < lanes; ++i) {
    if (next_event_[i] < end) Process(i, end);
  }
  for (int i = 0; i < lanes; ++i) {
    if (next_join_[i] < end) JoinQueue(i, end);
  }
  now_ = end;
  const float wave = 1 / model_.wave_seconds;
  float standing = 0;
  for (size_t i = 0; i < measurements_.size(); ++i) {
    const float moving = std::max(0.0f, (now_ - moving_from_[i]) * wave - gone_count_[i]);
    standing += std::max(0.0f, joined_count_[i] - moving);
  }
  totals_.waiting_seconds += standing;
}

int QueueSimulation::EntryOf(const RouteStep& step) const {
  return step.connection >= 0 ? step.connection : static_cast<int>(network_.connections.size()) + step.edge;
}

void QueueSimulation::Push(Entry& entry, const ArrivingVehicle& vehicle) {
  const size_t size = entry.backlog.size();
  if (entry.count == size) {
    std::vector<ArrivingVehicle> larger(std::max<size_t>(64, 2 * size));
    for (uint32_t i = 0; i < entry.count; ++i) larger[i] = entry.backlog[(entry.head + i) & (size - 1)];
    entry.backlog.swap(larger);
    entry.head = 0;
  }
  entry.backlog[(entry.head + entry.count++) & (entry.backlog.size() - 1)] = vehicle;
  ++backlog_;
}

void QueueSimulation::EmptyBacklogs(float end) {
  if (backlog_ == 0) return;
  for (Entry& entry : entries_) {
    while (entry.count > 0 && TryInsert(entry.backlog[entry.head & (entry.backlog.size() - 1)], end)) {
      ++entry.head;
      --entry.count;
      --backlog_;
    }
  }
}

void QueueSimulation::TakeArrivals(float end) {
  while (arrivals_->next().due_seconds < end) {
    const ArrivingVehicle& vehicle = arrivals_->next();
    totals_.scheduled += 1;
    totals_.emergency_scheduled += vehicle.type == VehicleType::kEmergency;
    Entry& entry = entries_[EntryOf(network_.steps[network_.routes[vehicle.route].first])];
    if (entry.count > 0 || !TryInsert(vehicle, end)) Push(entry, vehicle);
    arrivals_->Take();
  }
}

bool QueueSimulation::TryInsert(const ArrivingVehicle& vehicle, float end) {
  const int step = network_.routes[vehicle.route].first;
  const float space = kVehicleSpaces[TypeIndex(vehicle.type)];
  const float due = std::max(now_, static_cast<float>(vehicle.due_seconds));
  const int index = ChooseLane(network_.steps[step], space, due);
  if (index < 0) return false;
  const float at = std::max(due, last_insertion_[index] + model_.insertion_headway_seconds);
  if (at >= end) return false;
  last_insertion_[index] = at;
  const float factor = vehicle.speed_factor * kSpeedFactors[TypeIndex(vehicle.type)];
  const float free_at = at + FreeTime(lanes_[index], factor);
  Enter(index, {free_at, free_at + model_.insertion_loss_seconds, 0, factor, step, vehicle.type});
  const double delay = at - vehicle.due_seconds;
  totals_.inserted += 1;
  totals_.depart_delay_seconds += delay;
  if (vehicle.type == VehicleType::kEmergency) totals_.emergency_time_loss_seconds += delay;
  return true;
}

void QueueSimulation::FreeRoom(Lane& lane, float until) {
  while (lane.releases > 0) {
    const Release& release = releases_[lane.ring + static_cast<int32_t>(lane.release_head & lane.mask)];
    if (release.at > until) return;
    lane.occupied_m -= release.length_m;
    ++lane.release_head;
    --lane.releases;
  }
}

int QueueSimulation::ChooseLane(const RouteStep& step, float space, float at) {
  int first = network_.edges[step.edge].first_lane, last = first;
  if (step.connection >= 0) {
    first = network_.connections[step.connection].first_lane;
    last = network_.connections[step.connection].last_lane;
  }
  int best = -1;
  for (int i = first; i <= last; ++i) {
    Lane& lane = lanes_[i];
    FreeRoom(lane, at);
    if (lane.occupied_m + space > lane.storage_m) continue;
    if (best < 0 || lane.occupied_m < lanes_[best].occupied_m) best = i;
  }
  return best;
}

bool QueueSimulation::GapFor(const RoadConnection& connection, float at) const {
  for (const int lane : connection.opposing_lanes) {
    if (next_event_[lane] < at + model_.gap_seconds) return false;
  }
  return true;
}

void QueueSimulation::Process(int index, float end) {
  Lane& lane = lanes_[index];
  while (next_event_[index] < end) {
    const float at = next_event_[index];
    const Vehicle& head = At(lane, 0);
    const RouteStep* const step = &network_.steps[head.step];
    if (step->connection < 0) {
      Finish(index, at);
      continue;
    }
    const bool yields = aspect_[step->connection] == Aspect::kYielding;
    int target = -1;
    if (!yields || GapFor(network_.connections[step->connection], at)) {
      target = ChooseLane(step[1], kVehicleSpaces[TypeIndex(head.type)], at);
    }
    if (target >= 0) {
      Cross(index, target, at);
    } else {
      lane.retry_at = end;
      ScheduleEvent(index);
    }
  }
}

QueueSimulation::Vehicle QueueSimulation::Leave(int index, float at) {
  Lane& lane = lanes_[index];
  const Vehicle vehicle = At(lane, 0);
  const int type = TypeIndex(vehicle.type);
  const float loss = at - vehicle.free_at;
  totals_.time_loss_seconds += loss;
  if (vehicle.type == VehicleType::kEmergency) {
    totals_.emergency_time_loss_seconds += loss;
    --lane.emergency;
  }
  if (lane.joined > 0) {
    --lane.joined;
    lane.queue_m -= kVehicleSpaces[type];
    lane.join_sum = lane.joined == 0 ? 0 : lane.join_sum - vehicle.joined_at;
    joined_count_[index] = static_cast<float>(lane.joined);
  }
  ++lane.head;
  --lane.count;
  lane.covered_m -= kVehicleLengths[type];
  lane.weighted -= kVehicleWeights[type];
  lane.crossed_at = at;
  releases_[lane.ring + static_cast<int32_t>((lane.release_head + lane.releases++) & lane.mask)] = {
      at + lane.queue_m / model_.backward_wave_speed, kVehicleSpaces[type]};
  return vehicle;
}

void QueueSimulation::Finish(int index, float at) {
  Leave(index, at);
  totals_.finished += 1;
  ScheduleEvent(index);
}

void QueueSimulation::Cross(int index, int target, float at) {
  Lane& lane = lanes_[index];
  const bool stood = lane.joined > 0;
  const int position = lane.gone;
  Vehicle vehicle = Leave(index, at);
  ++lane.gone;
  ++lane.departed;
  gone_count_[index] = lane.gone;
  ScheduleEvent(index);
  ScheduleJoin(index);
  float loss = stood ? AtOrLast(model_.acceleration_loss_seconds, position) : 0;
  if (network_.connections[network_.steps[vehicle.step].connection].turn != Turn::kThrough) {
    loss = std::max(loss, model_.turn_loss_seconds);
  }
  vehicle.step += 1;
  vehicle.free_at = at + model_.crossing_seconds + FreeTime(lanes_[target], vehicle.speed_factor);
  vehicle.ready_at = vehicle.free_at + loss;
  Enter(target, vehicle);
}

void QueueSimulation::Enter(int index, const Vehicle& vehicle) {
  Lane& lane = lanes_[index];
  const int type = TypeIndex(vehicle.type);
  At(lane, lane.count++) = vehicle;
  lane.occupied_m += kVehicleSpaces[type];
  lane.covered_m += kVehicleLengths[type];
  lane.weighted += kVehicleWeights[type];
  lane.emergency += vehicle.type == VehicleType::kEmergency;
  if (lane.count == 1) ScheduleEvent(index);
  if (lane.count == lane.joined + 1) ScheduleJoin(index);
}

void QueueSimulation::JoinQueue(int index, float end) {
  Lane& lane = lanes_[index];
  while (next_join_[index] < end) {
    Vehicle& vehicle = At(lane, lane.joined++);
    vehicle.joined_at = next_join_[index];
    lane.join_sum += vehicle.joined_at;
    lane.queue_m += kVehicleSpaces[TypeIndex(vehicle.type)];
    ScheduleJoin(index);
  }
  joined_count_[index] = static_cast<float>(lane.joined);
  ScheduleEvent(index);
}

void QueueSimulation::ScheduleJoin(int index) {
  const Lane& lane = lanes_[index];
  next_join_[index] = kNever;
  if (lane.exit || lane.joined == lane.count) return;
  next_join_[index] = At(lane, lane.joined).ready_at - lane.queue_m / lane.speed + model_.braking_seconds;
}

float QueueSimulation::CrossingTime(int index, const Lane& lane, const Vehicle& vehicle,
                                    const RoadConnection& connection) const {
  float headway = model_.free_headway_seconds;
  if (lane.joined > 0) {
    headway = AtOrLast(model_.headway_seconds, lane.gone - 1) * kHeadwayFactors[TypeIndex(vehicle.type)];
    if (connection.turn != Turn::kThrough) headway *= model_.turn_headway_factor;
  }
  float at = std::max(vehicle.ready_at, lane.crossed_at + headway);
  if (lane.gone == 0 && vehicle.ready_at < lane.green_since) {
    const float stopped = std::min(1.0f, (lane.green_since - vehicle.ready_at) / model_.braking_seconds);
    at = std::max(at, lane.green_since + stopped * model_.first_crossing_seconds);
  }
  if (index == incident_lane_ && at >= incident_begin_ && at < incident_end_) {
    at += headway * static_cast<float>(incident_.headway_factor - 1);
  }
  return at;
}

void QueueSimulation::ScheduleEvent(int index) {
  const Lane& lane = lanes_[index];
  next_event_[index] = kNever;
  if (lane.count == 0) return;
  const Vehicle& head = At(lane, 0);
  const int connection = network_.steps[head.step].connection;
  if (connection < 0) {
    next_event_[index] = std::max(head.ready_at, lane.crossed_at);
    return;
  }
  if (aspect_[connection] == Aspect::kRed) return;
  const float at = std::max(lane.retry_at, CrossingTime(index, lane, head, network_.connections[connection]));
  if (at <= open_until_[connection]) next_event_[index] = at;
}

}  // namespace troupe
