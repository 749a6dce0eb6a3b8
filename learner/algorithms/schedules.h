// How far a run is, and what that makes of its learning rates.
#ifndef TROUPE_LEARNER_ALGORITHMS_SCHEDULES_H_
#define TROUPE_LEARNER_ALGORITHMS_SCHEDULES_H_

#include <algorithm>
#include <cstdint>

#include "learner/algorithms/algorithm.h"

namespace troupe {

// 0 to 1, of `span` environment steps; 0 where there are none.
inline double FractionDone(const UpdateProgress& progress, uint64_t span) {
  return span == 0 ? 0.0 : std::min(1.0, static_cast<double>(progress.env_steps) / static_cast<double>(span));
}

// What an update multiplies its learning rates by: the run's scale, and, where they are annealed, what is left of
// `span`.
inline double LearningRateDecay(const UpdateProgress& progress, bool anneals, uint64_t span) {
  return progress.learning_rate_scale * (anneals ? 1.0 - FractionDone(progress, span) : 1.0);
}

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_SCHEDULES_H_
