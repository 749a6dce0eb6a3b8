// Discrete actions from logits: the masked softmax, sampled or greedy.
#ifndef TROUPE_ACTOR_WORKER_ACTING_CATEGORICAL_H_
#define TROUPE_ACTOR_WORKER_ACTING_CATEGORICAL_H_

#include <cstdint>

#include "absl/types/span.h"
#include "actor_worker/acting/distribution.h"
#include "actor_worker/acting/kernels.h"

namespace troupe {

// One uniform number for each action: the action at which the cumulative probability passes it. The mode is the most
// probable action, the lowest index of equals. A masked action is never chosen.
class Categorical final : public Distribution {
 public:
  Categorical(int rows, int num_actions, const Kernels& kernels = BestKernels());

  int draws_per_agent() const override { return 1; }
  absl::Status SetSnapshot(absl::Span<const HostTensor>, const PolicySnapshot&) override { return absl::OkStatus(); }
  void Choose(absl::Span<const float> logits, absl::Span<const uint8_t> masks, absl::Span<const float> uniforms,
              const ChosenActions& chosen) override;

 private:
  const Kernels& kernels_;
  const int rows_;
  const int num_actions_;
  AlignedFloats shifted_;      // logit − largest allowed logit of the row
  AlignedFloats likelihoods_;  // e to that
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_CATEGORICAL_H_
