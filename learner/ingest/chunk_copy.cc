#include "learner/ingest/chunk_copy.h"

#include <cstring>

namespace troupe {
namespace {

// `from` is [rows, E, …], `to` is [rows, B, …]: each row's E columns go to the block's place.
template <typename T>
void CopyRows(absl::Span<const T> from, int rows, int block, std::vector<T>& to) {
  if (from.empty()) return;
  const size_t from_row = from.size() / rows, to_row = to.size() / rows;
  for (int row = 0; row < rows; ++row) {
    std::memcpy(to.data() + row * to_row + block * from_row, from.data() + row * from_row, from_row * sizeof(T));
  }
}

void CopyRows(const ScatteredFloats& from, int rows, int block, std::vector<float>& to) {
  if (from.empty()) return;
  const size_t from_row = from.size() / rows, to_row = to.size() / rows;
  ScatteredFloats::Reader reader(from);
  for (int row = 0; row < rows; ++row) reader.Read(from_row, to.data() + row * to_row + block * from_row);
}

template <typename T>
void Append(const std::vector<T>& from, std::vector<T>& to) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

void AllocateBatch(const EnvironmentSpec& spec, ChunkShape shape, int num_chunks, TrainingBatch* batch) {
  const size_t T = shape.rollout_length, B = static_cast<size_t>(shape.copies) * num_chunks;
  batch->rollout_length = shape.rollout_length;
  batch->columns = static_cast<int>(B);
  batch->groups.resize(spec.groups.size());
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    const AgentGroupSpec& group = spec.groups[g];
    const size_t agents = B * group.num_agents();
    GroupBatch& to = batch->groups[g];
    to.observations.resize((T + 1) * agents * group.observation_size);
    if (group.action_kind == ActionKind::kDiscrete) {
      to.discrete_actions.resize(T * agents);
      to.action_masks.resize((T + 1) * agents * group.action_size);
    } else {
      to.continuous_actions.resize(T * agents * group.action_size);
    }
    to.log_probabilities.resize(T * agents);
    to.rewards.resize(T * agents);
    to.alive.resize((T + 1) * agents);
  }
  batch->state_extras.resize((T + 1) * B * spec.state_extras_size);
  batch->terminated.resize(T * B);
  batch->truncated.resize(T * B);
  batch->policy_versions.resize(B);
}

void CopyColumns(const ReceivedChunkView& view, ChunkShape shape, int block, TrainingBatch* batch) {
  const int T = shape.rollout_length;
  for (size_t g = 0; g < view.groups.size(); ++g) {
    const auto& from = view.groups[g];
    GroupBatch& to = batch->groups[g];
    CopyRows(from.observations, T + 1, block, to.observations);
    CopyRows(from.discrete_actions, T, block, to.discrete_actions);
    CopyRows(from.continuous_actions, T, block, to.continuous_actions);
    CopyRows(from.log_probabilities, T, block, to.log_probabilities);
    CopyRows(from.rewards, T, block, to.rewards);
    CopyRows(from.action_masks, T + 1, block, to.action_masks);
    CopyRows(from.alive, T + 1, block, to.alive);
  }
  CopyRows(view.state_extras, T + 1, block, batch->state_extras);
  CopyRows(view.terminated, T, block, batch->terminated);
  CopyRows(view.truncated, T, block, batch->truncated);
}

void CopyTruncated(const ReceivedChunkView& view, ChunkShape shape, int block, TruncatedEpisodes* truncated) {
  truncated->truncated_at.assign(view.truncated_at.begin(), view.truncated_at.end());
  for (size_t i = 1; i < truncated->truncated_at.size(); i += 2) truncated->truncated_at[i] += block * shape.copies;
  truncated->final_observations.resize(view.groups.size());
  for (size_t g = 0; g < view.groups.size(); ++g) {
    const auto& from = view.groups[g].final_observations;
    truncated->final_observations[g].assign(from.begin(), from.end());
  }
  truncated->final_state_extras.assign(view.final_state_extras.begin(), view.final_state_extras.end());
}

void ClearTruncated(TrainingBatch* batch) {
  batch->truncated_at.clear();
  batch->final_state_extras.clear();
  for (GroupBatch& group : batch->groups) group.final_observations.clear();
}

void AppendTruncated(const TruncatedEpisodes& truncated, TrainingBatch* batch) {
  Append(truncated.truncated_at, batch->truncated_at);
  Append(truncated.final_state_extras, batch->final_state_extras);
  for (size_t g = 0; g < truncated.final_observations.size(); ++g) {
    Append(truncated.final_observations[g], batch->groups[g].final_observations);
  }
}

}  // namespace troupe
