// The hand-written controllers' parameters.
//
// Tuned by grid search: the least mean delay on seeds 50000..50003 of nine_junctions at 5400 vehicles/h, averaged over
// decision intervals of 1 s and 5 s. Evaluation uses other seeds; tests/environments/traffic_controllers_test.cc shows
// on further ones that neighbouring values are no better, and tests/environments/traffic_tuning_test.cc repeats the
// search.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_CONTROLLER_PARAMETERS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_CONTROLLER_PARAMETERS_H_

namespace troupe {

// longest_queue_first, max_pressure, max_wave: the phase with the highest score.
struct GreedyParameters {
  int min_green_seconds = 5;  // its own, on top of the environment's
  float stay_bonus = 0;       // what another phase's score must exceed the present one's by
};

// actuated: a green lasts while vehicles use it.
struct ActuatedParameters {
  int min_green_seconds = 5;
  int max_green_seconds = 10;
  double gap_seconds = 3;  // it ends when nobody used it for this long
};

// fixed_time: the network's own program, its greens multiplied.
struct FixedTimeParameters {
  double green_factor = 1;
  double green_seconds = 20;  // of every phase where the network brings no program
};

inline constexpr GreedyParameters kLongestQueueFirstParameters{};
inline constexpr GreedyParameters kMaxPressureParameters{.min_green_seconds = 5, .stay_bonus = 3};
inline constexpr GreedyParameters kMaxWaveParameters{};
inline constexpr ActuatedParameters kActuatedParameters{};
inline constexpr FixedTimeParameters kFixedTimeParameters{};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_CONTROLLER_PARAMETERS_H_
