// What a run remembers of losses and gradients that were not finite (learner/run/divergence_guard.h).
#ifndef TROUPE_LEARNER_CHECKPOINT_DIVERGENCE_STATE_H_
#define TROUPE_LEARNER_CHECKPOINT_DIVERGENCE_STATE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/host_tensor.h"

namespace troupe {

struct DivergenceState {
  uint32_t in_a_row = 0;           // updates with such minibatches, up to now
  uint32_t rollbacks = 0;          // of the whole run
  double learning_rate_scale = 1;  // what they made of learning rates
  // What the networks go back to: Algorithm::SaveState after update `good_update`. Null: the state of the checkpoint
  // that this is part of.
  uint64_t good_update = 0;
  std::shared_ptr<const std::vector<HostTensor>> good;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_CHECKPOINT_DIVERGENCE_STATE_H_
