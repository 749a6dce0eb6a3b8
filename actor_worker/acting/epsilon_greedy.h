// Discrete actions from action values: the best allowed one, or, with probability ε, any allowed one.
#ifndef TROUPE_ACTOR_WORKER_ACTING_EPSILON_GREEDY_H_
#define TROUPE_ACTOR_WORKER_ACTING_EPSILON_GREEDY_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "actor_worker/acting/distribution.h"

namespace troupe {

// Two uniform numbers for each action: whether it is one at random, and which. ε is the snapshot's scalar "epsilon", in
// [0, 1]. The mode is the action of the largest value, the lowest index of equals. A masked action is never chosen.
class EpsilonGreedy final : public Distribution {
 public:
  EpsilonGreedy(int rows, int num_actions);

  int draws_per_agent() const override { return 2; }
  absl::Status SetSnapshot(absl::Span<const HostTensor> parameters, const PolicySnapshot& snapshot) override;
  void Choose(absl::Span<const float> values, absl::Span<const uint8_t> masks, absl::Span<const float> uniforms,
              const ChosenActions& chosen) override;

 private:
  const int rows_;
  const int num_actions_;
  double epsilon_ = 0;
  // Log-probabilities of the best action and of any other where K are allowed, by K.
  std::vector<float> log_best_, log_other_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_EPSILON_GREEDY_H_
