// Settings every traffic environment shares, whatever simulates its vehicles.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_TRAFFIC_SETTINGS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_TRAFFIC_SETTINGS_H_

#include "absl/status/status.h"
#include "common/config/settings_reader.h"

namespace troupe {

enum class TrafficActionSet {
  // 0 keep · 1 next phase of the cycle that has waiting vehicles · 2 extend · 3 emergency override
  kKeepNextExtendOverride,
  // one action per green phase
  kChoosePhase,
};

enum class TrafficObservation {
  kApproaches,  // 17 numbers, sums by approach
  kPhases,      // a block of numbers per green phase (phase_observation.h)
};

// The reward of junction j at a decision, H = its standing vehicles, V = vehicles on its lanes, D = vehicles that
// crossed its stop lines since the last decision, E = emergency vehicles on its approaches:
//   own(j)    = (-level · H - presence · V + improvement · (H before - H) + throughput · D - emergency · E) / 20
//   reward(j) = own(j) + neighbour · mean over neighbours k of own(k)
// The division by 20 keeps a busy junction's reward near one. A junction that clears its queue into a full neighbour
// pays for it through the neighbour's term. Summed over an episode V is the time spent before stop lines, which counts
// slowing down and creeping as delay does; H is the time stood there.
struct TrafficRewardWeights {
  double level = 1.0;
  double presence = 0.0;
  double improvement = 0.0;
  double throughput = 0.0;
  double neighbour = 0.5;
  double emergency = 1.0;
};

struct TrafficSettings {
  TrafficActionSet action_set = TrafficActionSet::kKeepNextExtendOverride;
  TrafficObservation observation = TrafficObservation::kApproaches;
  int decision_interval_seconds = 1;
  int episode_seconds = 3600;
  int yellow_seconds = 3;
  int all_red_seconds = 0;
  int min_green_seconds = 5;
  int max_green_seconds = 60;
  int extension_seconds = 5;  // what `extend` commits to
  TrafficRewardWeights reward;
};

// Reads the shared settings; the caller reads its own from the same reader and calls Finish.
TrafficSettings ReadTrafficSettings(SettingsReader& reader);

// INVALID_ARGUMENT when settings that are fine by themselves contradict each other (a maximum green shorter than
// minimum green + decision interval leaves no allowed action).
absl::Status ValidateTrafficSettings(const TrafficSettings& settings);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_TRAFFIC_SETTINGS_H_
