// Batches as an algorithm's own policy would have collected them.
#ifndef TROUPE_TESTS_ALGORITHMS_ACTED_BATCH_H_
#define TROUPE_TESTS_ALGORITHMS_ACTED_BATCH_H_

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/specs/policy_spec.h"
#include "learner/algorithms/algorithm.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "learner/batch/training_batch.h"

namespace troupe {

// log π(action taken) of every agent at every step [T · B, A] under `weights`, in double precision, straight from the
// definition: one agent at a time, no rows, no slots.
inline std::vector<double> LogProbabilitiesOf(const PolicySnapshot& weights, const PolicySpec& policy,
                                              const GroupBatch& batch) {
  const at::NoGradGuard no_gradient;
  std::vector<at::Tensor> parts;
  at::Tensor log_std;  // [sets, size]
  for (const DenseStackSpec::Parameter& parameter : policy.Parameters()) {
    for (const HostTensor& tensor : weights.tensors) {
      if (tensor.name != policy.group + "/" + parameter.name) continue;
      parts.push_back(
          at::from_blob(const_cast<float*>(tensor.floats()), {tensor.num_elements()}, at::kFloat).to(at::kDouble));
      if (parameter.name == "log_std") log_std = parts.back().view(parameter.shape);
    }
  }
  const at::Tensor parameters = at::cat(parts);
  const int64_t agents = policy.num_agents, rows = static_cast<int64_t>(batch.log_probabilities.size()) / agents;
  std::vector<double> values(rows * agents);
  for (int64_t agent = 0; agent < agents; ++agent) {
    at::Tensor x = at::zeros({rows, policy.stack.input_size}, at::kDouble);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t i = 0; i < policy.observation_size; ++i) {
        x[row][i] = batch.observations[(row * agents + agent) * policy.observation_size + i];
      }
      if (policy.agent_id_input) x[row][policy.observation_size + agent] = 1.0;
    }
    const at::Tensor all = x.unsqueeze(0).expand({policy.stack.num_sets, rows, policy.stack.input_size});
    const at::Tensor logits = ForwardReference(policy.stack, parameters, all.contiguous())[policy.set_of_agent[agent]];
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = row * agents + agent, size = policy.action_size;
      for (int64_t j = 0; policy.distribution.is_gaussian() && j < size; ++j) {
        const double raw =
            (log_std.defined() ? log_std[policy.set_of_agent[agent]][j] : logits[row][size + j]).item<double>();
        const double deviation = std::exp(std::clamp(raw, -20.0, 2.0)), u = batch.continuous_actions[at * size + j];
        const double z = (u - logits[row][j].item<double>()) / deviation;
        values[at] -= 0.5 * z * z + std::log(deviation * std::sqrt(2 * M_PI));
        if (policy.distribution.kind == DistributionKind::kSquashedGaussian) values[at] += 2 * std::log(std::cosh(u));
      }
      if (policy.distribution.is_gaussian()) continue;
      const bool multi = policy.action_kind == ActionKind::kMultiDiscrete;
      const std::vector<int> sizes = multi ? policy.action_sizes : std::vector<int>{policy.action_size};
      const std::vector<int32_t>& actions = multi ? batch.multi_discrete_actions : batch.discrete_actions;
      for (size_t d = 0, first = 0; d < sizes.size(); first += sizes[d++]) {
        double total = 0;
        for (size_t j = first; j < first + sizes[d]; ++j) {
          if (batch.action_masks[at * size + j] != 0) total += std::exp(logits[row][j].item<double>());
        }
        values[at] += logits[row][first + actions[at * sizes.size() + d]].item<double>() - std::log(total);
      }
    }
  }
  return values;
}

// Makes the batch's log-probabilities those of the algorithm's present policy.
inline void ActOut(const Algorithm& algorithm, const AlgorithmContext& context, TrainingBatch* batch) {
  const PolicySnapshot weights = algorithm.ExportPolicy({.update = 0});
  for (size_t g = 0; g < context.policies.size(); ++g) {
    const std::vector<double> values = LogProbabilitiesOf(weights, context.policies[g], batch->groups[g]);
    batch->groups[g].log_probabilities.assign(values.begin(), values.end());
  }
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ALGORITHMS_ACTED_BATCH_H_
