#include "learner/algorithms/modules/minibatches.h"

#include <numeric>
#include <utility>

#include "common/base/random.h"

namespace troupe {

std::vector<std::vector<int64_t>> DealMinibatches(int64_t steps, int64_t minibatch_size, uint64_t key) {
  std::vector<int64_t> order(steps);
  std::iota(order.begin(), order.end(), 0);
  if (minibatch_size == 0 || minibatch_size >= steps) return {order};
  RandomStream random(key);
  for (int64_t i = steps - 1; i > 0; --i) std::swap(order[i], order[random.Below(static_cast<uint32_t>(i + 1))]);
  const int64_t count = (steps + minibatch_size - 1) / minibatch_size;
  std::vector<std::vector<int64_t>> minibatches;
  for (int64_t i = 0; i < count; ++i) {
    minibatches.emplace_back(order.begin() + steps * i / count, order.begin() + steps * (i + 1) / count);
  }
  return minibatches;
}

}  // namespace troupe
