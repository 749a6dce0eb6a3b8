// Multi-discrete actions from logits: a masked softmax in each dimension, sampled or greedy.
#ifndef TROUPE_ACTOR_WORKER_ACTING_MULTI_CATEGORICAL_H_
#define TROUPE_ACTOR_WORKER_ACTING_MULTI_CATEGORICAL_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "actor_worker/acting/categorical.h"
#include "actor_worker/acting/distribution.h"

namespace troupe {

// Categorical distributions side by side: index d of an action is what a Categorical over the logits and masks of
// dimension d chooses by uniform number d.
class MultiCategorical final : public Distribution {
 public:
  MultiCategorical(int rows, const std::vector<int>& sizes);

  int draws_per_agent() const override { return static_cast<int>(dimensions_.size()); }
  absl::Status SetSnapshot(absl::Span<const HostTensor>, const PolicySnapshot&) override { return absl::OkStatus(); }
  void Choose(absl::Span<const float> logits, absl::Span<const uint8_t> masks, absl::Span<const float> uniforms,
              const ChosenActions& chosen) override;

 private:
  // One dimension, n choices.
  struct Dimension {
    int first = 0, size = 0;  // its logits in a row
    Categorical categorical;
    std::vector<float> logits;   // [R, n]
    std::vector<uint8_t> masks;  // [R, n]
  };

  const int rows_;
  int width_ = 0;  // N
  std::vector<Dimension> dimensions_;
  std::vector<float> uniforms_;           // [R], of the dimension in turn, as the next two
  std::vector<int32_t> indices_;          // [R]
  std::vector<float> log_probabilities_;  // [R]
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_MULTI_CATEGORICAL_H_
