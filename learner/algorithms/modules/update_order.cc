#include "learner/algorithms/modules/update_order.h"

#include <utility>

#include "common/base/random.h"

namespace troupe {

std::vector<ParameterSet> DrawUpdateOrder(const std::vector<int>& sets_of_network, uint64_t key) {
  std::vector<ParameterSet> order;
  for (size_t network = 0; network < sets_of_network.size(); ++network) {
    for (int set = 0; set < sets_of_network[network]; ++set) order.push_back({network, set});
  }
  RandomStream random(key);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.Below(static_cast<uint32_t>(i))]);
  return order;
}

}  // namespace troupe
