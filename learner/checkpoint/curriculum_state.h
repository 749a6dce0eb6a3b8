// Where a run stands in its curriculum, between two updates.
#ifndef TROUPE_LEARNER_CHECKPOINT_CURRICULUM_STATE_H_
#define TROUPE_LEARNER_CHECKPOINT_CURRICULUM_STATE_H_

#include <cstdint>
#include <memory>

#include "common/base/policy_snapshot.h"

namespace troupe {

struct CurriculumState {
  uint32_t stage = 0;            // index into curriculum.stages; their number: the experiment's own task
  uint64_t began_env_steps = 0;  // trained on before the stage
  uint32_t passed = 0;           // evaluations in a row that met the stage's bounds
  // The policy whose evaluation on this stage has no verdict yet; null: none. A run that goes on evaluates it again.
  std::shared_ptr<const PolicySnapshot> judged{};
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_CHECKPOINT_CURRICULUM_STATE_H_
