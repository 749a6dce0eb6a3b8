#include "learner/algorithms/modules/batch_check.h"

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/finite.h"
#include "common/base/status_macros.h"
#include "learner/batch/option_values.h"

namespace troupe {
namespace {

absl::Status CheckSize(const std::string& field, size_t came, int64_t expected) {
  if (static_cast<int64_t>(came) == expected) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("batch.", field, ": ", came, " elements, expected ", expected));
}

// Sizes and actions of one table's tensors.
template <typename Tensors>
absl::Status CheckTensors(const std::string& prefix, const FieldSizes& sizes, const Tensors& tensors) {
  absl::Status status;
  ForEachField(
      [&](const TrajectoryField& field, const auto& values) {
        if (!status.ok()) return;
        const std::string name = absl::StrCat(prefix, field.name);
        status = CheckSize(name, values.size(), static_cast<int64_t>(NumElements(field, sizes)));
        if (!status.ok() || field.check != FieldCheck::kAction) return;
        for (size_t i = 0; i < values.size(); ++i) {
          const int64_t choices = sizes.multi_discrete ? sizes.action_sizes[i % sizes.num_choices] : sizes.action_size;
          const auto action = static_cast<int64_t>(values[i]);
          if (action >= 0 && action < choices) continue;
          status =
              absl::InvalidArgumentError(absl::StrCat("batch.", name, ": ", action, ", expected [0, ", choices, ")"));
          return;
        }
      },
      tensors);
  return status;
}

}  // namespace

absl::Status CheckBatch(const EnvironmentSpec& environment, const TrainingBatch& batch, ChunkShape shape) {
  const int64_t steps = batch.rollout_length, columns = batch.columns;
  if (steps < 1 || columns < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch: ", steps, " steps of ", columns, " columns, expected at least one of each"));
  }
  shape.rollout_length = batch.rollout_length;
  shape.copies = batch.columns;
  const uint32_t finals = static_cast<uint32_t>(batch.truncated_at.size() / 2);
  RETURN_IF_ERROR(CheckSize("groups", batch.groups.size(), environment.groups.size()));
  RETURN_IF_ERROR(CheckTensors("", JointSizes(environment, shape, finals), batch));
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
    const std::string prefix = absl::StrCat("groups[", environment.groups[g].name, "].");
    const FieldSizes sizes = GroupSizes(environment, shape, g, finals);
    const GroupBatch& group = batch.groups[g];
    RETURN_IF_ERROR(CheckTensors(prefix, sizes, group));
    RETURN_IF_ERROR(CheckOptionValues("batch." + prefix, sizes, group.options, group.option_log_probabilities,
                                      group.option_states));
  }
  return absl::OkStatus();
}

absl::Status CheckStreams(const TrainingBatch& batch) {
  return CheckSize("streams", batch.streams.size(), batch.columns);
}

bool IsFinite(const TrainingBatch& batch) {
  bool finite = true;
  const auto check = [&](const TrajectoryField&, const auto& values) {
    if constexpr (std::is_same_v<std::decay_t<decltype(values)>, std::vector<float>>) {
      finite = finite && AllFinite(values);
    }
  };
  ForEachField(check, batch);
  for (const GroupBatch& group : batch.groups) ForEachField(check, group);
  return finite;
}

}  // namespace troupe
