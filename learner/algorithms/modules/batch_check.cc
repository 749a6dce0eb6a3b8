#include "learner/algorithms/modules/batch_check.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

absl::Status CheckSize(const std::string& field, size_t came, int64_t expected) {
  if (static_cast<int64_t>(came) == expected) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("batch.", field, ": ", came, " elements, expected ", expected));
}

absl::Status CheckGroup(const AgentGroupSpec& spec, const GroupBatch& group, int64_t steps, int64_t columns,
                        int64_t finals) {
  const int64_t agents = spec.num_agents(), acted = steps * columns * agents, seen = acted + columns * agents;
  const std::string prefix = absl::StrCat("groups[", spec.name, "].");
  RETURN_IF_ERROR(CheckSize(prefix + "observations", group.observations.size(), seen * spec.observation_size));
  RETURN_IF_ERROR(CheckSize(prefix + "discrete_actions", group.discrete_actions.size(), acted));
  RETURN_IF_ERROR(CheckSize(prefix + "log_probabilities", group.log_probabilities.size(), acted));
  RETURN_IF_ERROR(CheckSize(prefix + "rewards", group.rewards.size(), acted));
  RETURN_IF_ERROR(CheckSize(prefix + "action_masks", group.action_masks.size(), seen * spec.action_size));
  RETURN_IF_ERROR(CheckSize(prefix + "alive", group.alive.size(), seen));
  RETURN_IF_ERROR(CheckSize(prefix + "final_observations", group.final_observations.size(),
                            finals * agents * spec.observation_size));
  for (const int32_t action : group.discrete_actions) {
    if (action < 0 || action >= spec.action_size) {
      return absl::InvalidArgumentError(
          absl::StrCat("batch.", prefix, "discrete_actions: ", action, ", expected [0, ", spec.action_size, ")"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBatch(const EnvironmentSpec& environment, const TrainingBatch& batch) {
  const int64_t steps = batch.rollout_length, columns = batch.columns;
  if (steps < 1 || columns < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch: ", steps, " steps of ", columns, " columns, expected at least one of each"));
  }
  const int64_t finals = batch.truncated_at.size() / 2;
  RETURN_IF_ERROR(CheckSize("groups", batch.groups.size(), environment.groups.size()));
  RETURN_IF_ERROR(
      CheckSize("state_extras", batch.state_extras.size(), (steps + 1) * columns * environment.state_extras_size));
  RETURN_IF_ERROR(CheckSize("terminated", batch.terminated.size(), steps * columns));
  RETURN_IF_ERROR(CheckSize("truncated", batch.truncated.size(), steps * columns));
  RETURN_IF_ERROR(CheckSize("truncated_at", batch.truncated_at.size(), 2 * finals));
  RETURN_IF_ERROR(
      CheckSize("final_state_extras", batch.final_state_extras.size(), finals * environment.state_extras_size));
  int64_t truncations = 0;
  for (size_t cell = 0; cell < batch.truncated.size(); ++cell) truncations += batch.truncated[cell] != 0;
  RETURN_IF_ERROR(CheckSize("truncated_at", batch.truncated_at.size(), 2 * truncations));
  for (int64_t k = 0; k < finals; ++k) {
    const int64_t t = batch.truncated_at[2 * k], column = batch.truncated_at[2 * k + 1];
    if (t < 0 || t >= steps || column < 0 || column >= columns || batch.truncated[t * columns + column] == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("batch.truncated_at[", k, "]: (", t, ", ", column, ") is not a truncated step of the batch"));
    }
  }
  for (size_t g = 0; g < environment.groups.size(); ++g) {
    RETURN_IF_ERROR(CheckGroup(environment.groups[g], batch.groups[g], steps, columns, finals));
  }
  return absl::OkStatus();
}

absl::Status CheckRemembered(const std::vector<PolicySpec>& policies, int64_t sequence_length,
                             const TrainingBatch& batch) {
  RETURN_IF_ERROR(CheckSize("streams", batch.streams.size(), batch.columns));
  const int64_t sequences = (batch.rollout_length + sequence_length - 1) / sequence_length * batch.columns;
  for (size_t g = 0; g < policies.size(); ++g) {
    RETURN_IF_ERROR(CheckSize(absl::StrCat("groups[", policies[g].group, "].network_states"),
                              batch.groups[g].network_states.size(),
                              sequences * policies[g].num_agents * policies[g].stack.state_size()));
  }
  return absl::OkStatus();
}

}  // namespace troupe
