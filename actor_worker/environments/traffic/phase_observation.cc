#include "actor_worker/environments/traffic/phase_observation.h"

#include <algorithm>

#include "actor_worker/environments/traffic/traffic_description.h"

namespace troupe {
namespace {

constexpr float kHighest = 10;

template <size_t kCount>
void WriteScaled(const std::array<float, kCount>& values, const std::array<float, kCount>& scales, float* out) {
  for (size_t i = 0; i < kCount; ++i) out[i] = std::min(values[i] * scales[i], kHighest);
}

}  // namespace

PhaseObservation::PhaseObservation(const TrafficNetwork& network) : network_(network) {
  room_ahead_.resize(network.lanes.size());
  coming_.resize(network.lanes.size());
  standing_.resize(network.junctions.size());
  const std::vector<ObservedNumber> numbers = DescribePhaseObservation(1);
  const auto scale = [&numbers](int i) { return 1.0f / static_cast<float>(numbers[i].divided_by); };
  for (int i = 0; i < kPhaseFeatures; ++i) phase_scales_[i] = scale(i);
  for (int i = 0; i < kPhaseJunctionFeatures; ++i) junction_scales_[i] = scale(kPhaseFeatures + i);
}

bool PhaseObservation::HasGreen(int lane) const {
  const TrafficLane& info = network_.lanes[lane];
  return info.green_phases >> signals_[info.junction].target_phase() & 1;
}

void PhaseObservation::Update(absl::Span<const LaneMeasurement> lanes, absl::Span<const SignalTiming> signals) {
  lanes_ = lanes;
  signals_ = signals;
  std::fill(coming_.begin(), coming_.end(), 0.0f);
  std::fill(standing_.begin(), standing_.end(), 0.0f);
  for (int i = 0; i < static_cast<int>(lanes.size()); ++i) {
    standing_[network_.lanes[i].junction] += lanes[i].halting;
    const std::vector<int>& downstream = network_.lanes[i].downstream_lanes;
    room_ahead_[i] = 1;
    if (downstream.empty()) continue;
    const float count = static_cast<float>(downstream.size());
    const float share = HasGreen(i) ? lanes[i].vehicles / count : 0;
    float covered = 0;
    for (const int k : downstream) {
      covered += lanes[k].occupancy;
      coming_[k] += share;
    }
    room_ahead_[i] -= covered / count;
  }
}

void PhaseObservation::WritePhase(int junction, int phase, float* out) const {
  const TrafficJunction& info = network_.junctions[junction];
  float lanes = 0, standing = 0, fullest = 0, approaching = 0, waiting_seconds = 0, first_waiting_seconds = 0;
  float room_ahead = 0, coming = 0, emergency = 0, open = 0;
  for (int i = info.first_lane; i < info.first_lane + info.num_lanes; ++i) {
    if (!(network_.lanes[i].green_phases >> phase & 1)) continue;
    const LaneMeasurement& lane = lanes_[i];
    lanes += 1;
    standing += lane.halting;
    fullest = std::max(fullest, lane.halting);
    approaching += std::max(0.0f, lane.vehicles - lane.halting);
    waiting_seconds += lane.waiting_seconds;
    first_waiting_seconds = std::max(first_waiting_seconds, lane.first_waiting_seconds);
    room_ahead += room_ahead_[i];
    coming += coming_[i];
    emergency += lane.emergency_vehicles;
    open += HasGreen(i) ? 1 : 0;
  }
  const float per_lane = lanes > 0 ? 1 / lanes : 0;
  const bool is_green = phase == signals_[junction].target_phase();
  WriteScaled<kPhaseFeatures>({standing, fullest, approaching, waiting_seconds, first_waiting_seconds,
                               room_ahead * per_lane, coming, emergency, open * per_lane, is_green ? 1.0f : 0.0f},
                              phase_scales_, out);
}

void PhaseObservation::Write(int junction, float* out) const {
  const TrafficJunction& info = network_.junctions[junction];
  for (int phase = 0; phase < static_cast<int>(info.phases.size()); ++phase, out += kPhaseFeatures) {
    WritePhase(junction, phase, out);
  }
  float around = 0;
  for (const int k : info.neighbours) around += standing_[k];
  if (!info.neighbours.empty()) around /= static_cast<float>(info.neighbours.size());
  const SignalTiming& signal = signals_[junction];
  WriteScaled<kPhaseJunctionFeatures>({static_cast<float>(signal.seconds_in_stage()),
                                       signal.in_transition() ? 1.0f : 0.0f, standing_[junction], around},
                                      junction_scales_, out);
}

}  // namespace troupe
