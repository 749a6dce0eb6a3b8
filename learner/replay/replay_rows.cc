#include "learner/replay/replay_rows.h"

namespace troupe {
namespace {

int64_t NumFinals(const TrainingBatch& batch) { return static_cast<int64_t>(batch.truncated_at.size()) / 2; }

int64_t NumSeen(const TrainingBatch& batch) { return int64_t{batch.rollout_length + 1} * batch.columns; }

// Room for `into_rows` rows as wide as those of a tensor of `rows`.
template <typename T>
void SizeAs(const std::vector<T>& like, int64_t rows, int64_t into_rows, std::vector<T>* to) {
  to->resize(static_cast<int64_t>(like.size()) / rows * into_rows);
}

// Nothing of tensors that do not exist.
template <typename T>
void CopyWidth(const std::vector<T>& from, int64_t width, int64_t row, int64_t to_row, std::vector<T>* to) {
  if (!from.empty()) std::copy_n(from.data() + row * width, width, to->data() + to_row * width);
}

void PrefetchBytes(const void* from, size_t bytes) {
  constexpr size_t kLine = 64;
  const char* const begin = static_cast<const char*>(from);
  for (size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(begin + at);
  if (bytes > 1) __builtin_prefetch(begin + bytes - 1);
}

template <typename T>
void PrefetchRow(const std::vector<T>& from, int64_t width, int64_t row) {
  PrefetchBytes(from.data() + row * width, width * sizeof(T));
}

template <typename T>
void AppendRow(const std::vector<T>& from, int64_t rows, int64_t row, std::vector<T>* to) {
  const int64_t width = static_cast<int64_t>(from.size()) / rows;
  to->insert(to->end(), from.begin() + row * width, from.begin() + (row + 1) * width);
}

}  // namespace

TrainingBatch MakeStates(const TrainingBatch& like, int steps, int64_t columns) {
  TrainingBatch states;
  states.rollout_length = steps;
  states.columns = static_cast<int>(columns);
  const int64_t seen = NumSeen(like), acted = like.env_steps(), into_seen = (steps + 1) * columns,
                into_acted = steps * columns;
  SizeAs(like.state_extras, seen, into_seen, &states.state_extras);
  states.terminated.resize(into_acted);
  states.truncated.resize(into_acted);
  for (const GroupBatch& group : like.groups) {
    GroupBatch& into = states.groups.emplace_back();
    SizeAs(group.observations, seen, into_seen, &into.observations);
    SizeAs(group.action_masks, seen, into_seen, &into.action_masks);
    SizeAs(group.alive, seen, into_seen, &into.alive);
    SizeAs(group.discrete_actions, acted, into_acted, &into.discrete_actions);
    SizeAs(group.multi_discrete_actions, acted, into_acted, &into.multi_discrete_actions);
    SizeAs(group.continuous_actions, acted, into_acted, &into.continuous_actions);
    SizeAs(group.rewards, acted, into_acted, &into.rewards);
  }
  return states;
}

RowCopier::RowCopier(const TrainingBatch& like) {
  const int64_t seen = NumSeen(like), acted = like.env_steps();
  const auto width = [](const auto& tensor, int64_t rows) { return static_cast<int64_t>(tensor.size()) / rows; };
  extras_ = width(like.state_extras, seen);
  for (const GroupBatch& group : like.groups) {
    groups_.push_back({width(group.observations, seen), width(group.action_masks, seen), width(group.alive, seen),
                       width(group.discrete_actions, acted), width(group.multi_discrete_actions, acted),
                       width(group.continuous_actions, acted), width(group.rewards, acted)});
  }
}

void RowCopier::CopyState(const ReplayState& state, int64_t to_row, TrainingBatch* to) const {
  const TrainingBatch& from = *state.batch;
  CopyWidth(state.is_final ? from.final_state_extras : from.state_extras, extras_, state.row, to_row,
            &to->state_extras);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const GroupBatch& group = from.groups[g];
    GroupBatch* const into = &to->groups[g];
    const Widths& widths = groups_[g];
    CopyWidth(state.is_final ? group.final_observations : group.observations, widths.observations, state.row, to_row,
              &into->observations);
    CopyWidth(state.is_final ? group.final_action_masks : group.action_masks, widths.masks, state.row, to_row,
              &into->action_masks);
    CopyWidth(state.is_final ? group.final_alive : group.alive, widths.alive, state.row, to_row, &into->alive);
  }
}

void RowCopier::CopyActing(const TrainingBatch& from, int64_t cell, int64_t to_cell, TrainingBatch* to) const {
  for (size_t g = 0; g < groups_.size(); ++g) {
    const GroupBatch& group = from.groups[g];
    GroupBatch* const into = &to->groups[g];
    const Widths& widths = groups_[g];
    CopyWidth(group.discrete_actions, widths.discrete, cell, to_cell, &into->discrete_actions);
    CopyWidth(group.multi_discrete_actions, widths.multi_discrete, cell, to_cell, &into->multi_discrete_actions);
    CopyWidth(group.continuous_actions, widths.continuous, cell, to_cell, &into->continuous_actions);
    CopyWidth(group.rewards, widths.rewards, cell, to_cell, &into->rewards);
  }
}

void RowCopier::Prefetch(const TrainingBatch& from, int64_t cell) const {
  const int64_t after = cell + from.columns;
  __builtin_prefetch(from.terminated.data() + cell);
  __builtin_prefetch(from.truncated.data() + cell);
  for (const int64_t row : {cell, after}) PrefetchRow(from.state_extras, extras_, row);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const GroupBatch& group = from.groups[g];
    const Widths& widths = groups_[g];
    for (const int64_t row : {cell, after}) {
      PrefetchRow(group.observations, widths.observations, row);
      PrefetchRow(group.action_masks, widths.masks, row);
      PrefetchRow(group.alive, widths.alive, row);
    }
    PrefetchRow(group.discrete_actions, widths.discrete, cell);
    PrefetchRow(group.multi_discrete_actions, widths.multi_discrete, cell);
    PrefetchRow(group.continuous_actions, widths.continuous, cell);
    PrefetchRow(group.rewards, widths.rewards, cell);
  }
}

void AppendFinal(const TrainingBatch& from, int64_t number, TrainingBatch* to) {
  const int64_t finals = NumFinals(from);
  AppendRow(from.final_state_extras, finals, number, &to->final_state_extras);
  for (size_t g = 0; g < from.groups.size(); ++g) {
    const GroupBatch& group = from.groups[g];
    GroupBatch* const into = &to->groups[g];
    AppendRow(group.final_observations, finals, number, &into->final_observations);
    AppendRow(group.final_action_masks, finals, number, &into->final_action_masks);
    AppendRow(group.final_alive, finals, number, &into->final_alive);
  }
}

}  // namespace troupe
