// How an epoch's joint steps are dealt into minibatches.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_MINIBATCHES_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_MINIBATCHES_H_

#include <cstdint>
#include <vector>

namespace troupe {

// Minibatches of at most `minibatch_size` steps whose sizes differ by one at most, shuffled by `key` (Fisher–Yates).
// Size 0, or one not below `steps`: a single minibatch of all steps in order.
std::vector<std::vector<int64_t>> DealMinibatches(int64_t steps, int64_t minibatch_size, uint64_t key);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_MINIBATCHES_H_
