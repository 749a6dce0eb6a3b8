// Discrete actions from logits: the masked softmax, sampled or greedy.
#ifndef TROUPE_ACTOR_WORKER_ACTING_MASKED_SOFTMAX_H_
#define TROUPE_ACTOR_WORKER_ACTING_MASKED_SOFTMAX_H_

#include <cstdint>

#include "absl/types/span.h"
#include "actor_worker/acting/kernels.h"

namespace troupe {

// For a fixed number of rows and actions. Not thread-safe; allocates nothing after construction.
class MaskedSoftmax {
 public:
  MaskedSoftmax(int rows, int num_actions, const Kernels& kernels = BestKernels());

  // `logits` [rows, N]; `masks` [rows, N], 1 = allowed, at least one per row, or empty: all are allowed.
  // `uniforms` [rows] in [0, 1): the action at which the cumulative probability passes it; empty: the most probable
  // action, the lowest index of equals. Writes `actions` [rows] and their `log_probabilities` [rows]. A masked action
  // is never chosen.
  void Choose(absl::Span<const float> logits, absl::Span<const uint8_t> masks, absl::Span<const float> uniforms,
              absl::Span<int32_t> actions, absl::Span<float> log_probabilities);

 private:
  const Kernels& kernels_;
  const int rows_;
  const int num_actions_;
  AlignedFloats shifted_;      // logit − largest allowed logit of the row
  AlignedFloats likelihoods_;  // e to that
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_MASKED_SOFTMAX_H_
