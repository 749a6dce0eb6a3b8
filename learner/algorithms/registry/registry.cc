#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/specs/algorithm_card.h"
#include "learner/algorithms/algorithm.h"
#include "learner/algorithms/maddpg.h"
#include "learner/algorithms/mappo.h"
#include "learner/algorithms/pqn.h"
#include "learner/algorithms/q_learning.h"

namespace troupe {

absl::Span<const AlgorithmEntry> AllAlgorithms() {
  static const auto* const entries = new std::vector<AlgorithmEntry>{
      {"mappo", &Mappo::Create}, {"iql", &QLearning::Create}, {"vdn", &QLearning::Create}, {"qmix", &QLearning::Create},
      {"pqn_vdn", &CreatePqn},   {"maddpg", &Maddpg::Create}, {"matd3", &Maddpg::Create},
  };
  return *entries;
}

absl::StatusOr<std::unique_ptr<Algorithm>> CreateAlgorithm(const AlgorithmContext& context) {
  RETURN_IF_ERROR(CheckAlgorithm(context.experiment, context.environment, context.policies));
  const std::string& name = context.experiment.algorithm().name();
  for (const AlgorithmEntry& entry : AllAlgorithms()) {
    if (entry.name == name) return entry.create(context);
  }
  return absl::InternalError(absl::StrCat("algorithm.name: \"", name, "\" has a card and no row"));
}

}  // namespace troupe
