// The order in which parameter sets are updated where one follows another (ppo.update_order SEQUENTIAL).
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_UPDATE_ORDER_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_UPDATE_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe {

struct ParameterSet {
  size_t network = 0;
  int set = 0;
  bool operator==(const ParameterSet&) const = default;
};

// Every set of networks that have so many, each once: a Fisher–Yates shuffle of the stream keyed by `key`.
std::vector<ParameterSet> DrawUpdateOrder(const std::vector<int>& sets_of_network, uint64_t key);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_UPDATE_ORDER_H_
