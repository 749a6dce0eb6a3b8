#include "learner/run/environment_fit.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/specs/algorithm_card.h"
#include "common/specs/best_by.h"
#include "common/specs/self_play_check.h"
#include "common/wire/chunk_layout.h"
#include "learner/algorithms/modules/critic_layout.h"
#include "learner/reporting/banner.h"
#include "learner/run/curriculum.h"
#include "learner/run/learner_memory.h"
#include "learner/service/message_size.h"

namespace troupe {
namespace {

absl::Status CheckParameters(const std::string& of, const DenseStackSpec& stack) {
  if (stack.num_parameters() <= kMaxParameters) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the ", of, " would have ", WithThousands(stack.num_parameters()),
                                                 " parameters for ", WithThousands(stack.input_size),
                                                 " numbers it sees, expected at most ", WithThousands(kMaxParameters)));
}

absl::Status CheckNetworks(const Experiment& experiment, const EnvironmentSpec& environment,
                           const std::vector<PolicySpec>& policies) {
  for (const PolicySpec& policy : policies) {
    RETURN_IF_ERROR(CheckParameters(absl::StrCat("actors of ", policy.group), policy.stack));
  }
  if (!experiment.has_ppo()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<CriticLayout> layouts, MakeCriticLayouts(experiment.critic(), environment));
  for (const CriticLayout& layout : layouts) {
    RETURN_IF_ERROR(CheckParameters(absl::StrCat("critic of ", layout.name), layout.stack));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EnvironmentFit> FitEnvironment(const Experiment& experiment, const EnvironmentSpec& environment,
                                              ShardRange own_shards, int local_workers) {
  EnvironmentFit fit;
  ASSIGN_OR_RETURN(fit.policies, MakePolicySpecs(experiment, environment));
  RETURN_IF_ERROR(CheckAlgorithm(experiment, environment, fit.policies));
  RETURN_IF_ERROR(CheckBestBy(environment, experiment.evaluation().best_by()));
  RETURN_IF_ERROR(CheckStageStatistics(experiment.curriculum(), environment));
  RETURN_IF_ERROR(CheckSelfPlay(experiment, environment));
  RETURN_IF_ERROR(CheckChunkSize(environment, ChunkShapeOf(experiment, fit.policies)));
  RETURN_IF_ERROR(CheckNetworks(experiment, environment, fit.policies));
  ASSIGN_OR_RETURN(fit.memory, RunMemory(experiment, environment, fit.policies, own_shards, local_workers));
  fit.memory_use = ReadMemoryUse();
  RETURN_IF_ERROR(CheckRunMemory(fit.memory, fit.memory_use));
  RETURN_IF_ERROR(CheckRunMemory(fit.memory, ReadAddressSpaceUse()));
  return fit;
}

}  // namespace troupe
