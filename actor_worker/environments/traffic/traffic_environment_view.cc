// What agents and people see of a TrafficEnvironment.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/environments/traffic/traffic_environment.h"

namespace troupe {
namespace {

float PhaseScale(const TrafficJunction& junction) {
  return 1.0f / (2 * static_cast<float>(junction.phases.size()) - 1);
}

}  // namespace

RawTrafficFeatures TrafficEnvironment::RawFeatures(int junction) const {
  RawTrafficFeatures features{};
  const TrafficJunction& info = network().junctions[junction];
  std::array<float, kCompassSlots> lanes_of_slot{};
  features[0] = static_cast<float>(signals_[junction].phase_number());
  for (int lane = info.first_lane; lane < info.first_lane + info.num_lanes; ++lane) {
    const int slot = static_cast<int>(network().lanes[lane].slot);
    features[1 + slot] += lanes_[lane].halting;
    features[5 + slot] += lanes_[lane].weighted_vehicles;
    features[9 + slot] += lanes_[lane].occupancy;
    lanes_of_slot[slot] += 1;
  }
  for (int slot = 0; slot < kCompassSlots; ++slot) {
    if (lanes_of_slot[slot] > 0) features[9 + slot] /= lanes_of_slot[slot];
  }
  features[13] = static_cast<float>(signals_[junction].seconds_in_stage());
  features[14] = sums_[junction].emergency > 0 ? 1.0f : 0.0f;
  for (int i = 0; i < 2; ++i) {
    const int neighbour = info.observed_neighbours[i];
    if (neighbour >= 0) features[15 + i] = static_cast<float>(signals_[neighbour].phase_number());
  }
  return features;
}

void TrafficEnvironment::WriteApproaches(int junction, float* out) const {
  const auto& junctions = network().junctions;
  const RawTrafficFeatures raw = RawFeatures(junction);
  out[0] = raw[0] * PhaseScale(junctions[junction]);
  for (int i = 1; i < 15; ++i) out[i] = raw[i] * feature_scales_[i];
  for (int i = 0; i < 2; ++i) {
    const int neighbour = junctions[junction].observed_neighbours[i];
    out[15 + i] = neighbour < 0 ? 0 : raw[15 + i] * PhaseScale(junctions[neighbour]);
  }
}

void TrafficEnvironment::Observe(JointObservation& observation) const {
  for (size_t g = 0; g < group_junctions_.size(); ++g) {
    GroupObservation& group = observation.groups[g];
    const int actions = spec_.groups[g].action_size;
    for (size_t a = 0; a < group_junctions_[g].size(); ++a) {
      const int junction = group_junctions_[g][a];
      float* const out = group.observations.data() + a * spec_.groups[g].observation_size;
      if (phase_observation_ != nullptr) {
        phase_observation_->Write(junction, out);
      } else {
        WriteApproaches(junction, out);
      }
      for (int n = 0; n < actions; ++n) group.action_mask[a * actions + n] = Allowed(junction, n) ? 1 : 0;
      group.alive[a] = 1;
    }
  }
  float vehicles = 0, waiting = 0;
  for (const LaneMeasurement& lane : lanes_) {
    vehicles += lane.vehicles;
    waiting += lane.waiting_seconds;
  }
  observation.state_extras[0] = vehicles / static_cast<float>(spec_.observed_extras[0].divided_by);
  observation.state_extras[1] = waiting / static_cast<float>(spec_.observed_extras[1].divided_by);
}

std::string TrafficEnvironment::Render() const {
  std::string text = absl::StrFormat("%s at second %d\n%-12s %-22s %23s %6s %5s\n", network().name, seconds_,
                                     "junction", "lights", "standing N   S   E   W", "on it", "emerg");
  for (size_t j = 0; j < signals_.size(); ++j) {
    const TrafficJunction& info = network().junctions[j];
    const SignalState& state = signals_[j].state();
    std::string lights = info.phases[state.phase];
    if (state.stage != SignalStage::kGreen) {
      const char* const stage = state.stage == SignalStage::kClearing ? " clearing>"
                                : state.stage == SignalStage::kYellow ? " yellow>"
                                                                      : " red>";
      absl::StrAppend(&lights, stage, info.phases[state.next_phase]);
    }
    absl::StrAppendFormat(&lights, " %ds", signals_[j].seconds_in_stage());
    const RawTrafficFeatures raw = RawFeatures(static_cast<int>(j));
    float vehicles = 0;
    for (const LaneMeasurement& lane : lanes_.subspan(info.first_lane, info.num_lanes)) vehicles += lane.vehicles;
    absl::StrAppendFormat(&text, "%-12s %-22s %11.0f %3.0f %3.0f %3.0f %6.0f %5s\n", info.name, lights, raw[1], raw[2],
                          raw[3], raw[4], vehicles, raw[14] > 0 ? "yes" : "");
  }
  return text;
}

}  // namespace troupe
