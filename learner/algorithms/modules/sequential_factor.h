// What parameter sets that were updated earlier in an update make of a joint step: the product of their agents' ratios
// π_now(action) / π_reference(action). Advantages times it are M of HAPPO (arXiv:2109.11251, section 4.2): samples of
// the policies before the update then count as often as those who have moved would have drawn them.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_SEQUENTIAL_FACTOR_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_SEQUENTIAL_FACTOR_H_

#include <cstdint>
#include <vector>

#include "common/specs/policy_spec.h"

namespace troupe {

// Of the joint steps that this rank holds. Not bounded: where the product is beyond float32 the loss is not finite,
// and the minibatch is left out and counted. Not thread-safe.
class SequentialFactor {
 public:
  explicit SequentialFactor(int64_t steps) : log_factors_(steps, 0.0) {}

  // A set of a group has moved. log π of the actions taken by all agents of the group, [steps, agents], to which the
  // objective's ratio refers, and now; `trained` [steps, agents]: those who are not, dead ones
  // for example, count 1.
  void TakeIn(const PolicySpec& policy, int set, const std::vector<uint8_t>& trained,
              const std::vector<float>& reference_log_probabilities, const std::vector<float>& log_probabilities);

  // [steps, agents], each times its step's factor; as they were before any set has moved.
  std::vector<float> Times(std::vector<float> values) const;

 private:
  std::vector<double> log_factors_;  // [steps]
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_SEQUENTIAL_FACTOR_H_
