#include "learner/algorithms/modules/sequential_factor.h"

#include <cmath>

namespace troupe {

void SequentialFactor::TakeIn(const PolicySpec& policy, int set, const std::vector<uint8_t>& trained,
                              const std::vector<float>& reference_log_probabilities,
                              const std::vector<float>& log_probabilities) {
  const int64_t agents = policy.num_agents;
  for (int64_t i = 0; i < static_cast<int64_t>(log_factors_.size()) * agents; ++i) {
    if (policy.set_of_agent[i % agents] != set || trained[i] == 0) continue;
    log_factors_[i / agents] += static_cast<double>(log_probabilities[i]) - reference_log_probabilities[i];
  }
}

std::vector<float> SequentialFactor::Times(std::vector<float> values) const {
  const auto agents = static_cast<int64_t>(values.size() / log_factors_.size());
  for (size_t step = 0; step < log_factors_.size(); ++step) {
    const auto factor = static_cast<float>(std::exp(log_factors_[step]));
    for (int64_t agent = 0; agent < agents; ++agent) values[step * agents + agent] *= factor;
  }
  return values;
}

}  // namespace troupe
