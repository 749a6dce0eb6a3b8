#include "actor_worker/acting/distribution.h"

#include "actor_worker/acting/categorical.h"
#include "actor_worker/acting/deterministic.h"
#include "actor_worker/acting/epsilon_greedy.h"
#include "actor_worker/acting/gaussian.h"
#include "actor_worker/acting/multi_categorical.h"

namespace troupe {

std::unique_ptr<Distribution> MakeDistribution(const PolicySpec& spec, int copies) {
  const int rows = copies * spec.num_agents;
  switch (spec.distribution.kind) {
    case DistributionKind::kCategorical:
      return std::make_unique<Categorical>(rows, spec.action_size);
    case DistributionKind::kEpsilonGreedy:
      return std::make_unique<EpsilonGreedy>(rows, spec.action_size);
    case DistributionKind::kGaussian:
    case DistributionKind::kSquashedGaussian:
      return std::make_unique<Gaussian>(spec, rows);
    case DistributionKind::kMultiCategorical:
      return std::make_unique<MultiCategorical>(rows, spec.action_sizes);
    case DistributionKind::kDeterministic:
      return std::make_unique<Deterministic>(rows, spec.action_size);
  }
  return nullptr;
}

}  // namespace troupe
