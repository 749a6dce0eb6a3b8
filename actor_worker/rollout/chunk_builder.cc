#include "actor_worker/rollout/chunk_builder.h"

#include <algorithm>

#include "common/base/half.h"

namespace troupe {
namespace {

// Row `index` of a tensor whose leading axis has `rows` entries.
template <typename T>
absl::Span<T> RowOf(absl::Span<T> tensor, int index, int rows) {
  const size_t size = tensor.size() / rows;
  return tensor.subspan(index * size, size);
}

constexpr auto kCopyKept = [](auto& tensor, auto& kept) { std::copy(kept.begin(), kept.end(), tensor.begin()); };

template <typename T>
void Append(absl::Span<const T> values, std::vector<T>* to) {
  to->insert(to->end(), values.begin(), values.end());
}

// Calls visit(rows, tensor of the chunk, tensor kept) for every tensor with rows of one kind.
template <typename Visit, typename View, typename Kept>
void ForEachKept(FieldRows rows, const Visit& visit, View& view, Kept& kept) {
  const auto visit_some = [&](const TrajectoryField& field, auto& tensor, auto& memory) {
    if (field.rows == rows) visit(tensor, memory);
  };
  for (size_t g = 0; g < view.groups.size(); ++g) ForEachField(visit_some, view.groups[g], kept.groups[g]);
  ForEachField(visit_some, view, kept);
}

}  // namespace

ChunkBuilder::ChunkBuilder(const EnvironmentSpec& spec, const ChunkShape& shape) : spec_(spec), shape_(shape) {
  const size_t groups = spec_.groups.size();
  present_.groups.resize(groups);
  next_.groups.resize(groups);
  actions_.groups.resize(groups);
  outcome_.rewards.resize(groups);
  chosen_.resize(groups);
  taken_.resize(groups);
  unsent_log_probabilities_.resize(groups);
  network_states_.resize(groups);
  option_states_.resize(groups);
  learns_.resize(groups);
  truncated_.groups.resize(groups);
  carry_.groups.resize(groups);
  if (!shape_.half_observations) return;
  const size_t rows = static_cast<size_t>(shape_.rollout_length + 1) * shape_.copies;
  for (const AgentGroupSpec& group : spec_.groups) {
    unpacked_.emplace_back(rows * group.num_agents() * group.observation_size);
  }
}

void ChunkBuilder::Begin(wire::Chunk* chunk) {
  chunk_ = chunk;
  view_ = AllocateChunk(spec_, shape_, chunk);
  for (size_t g = 0; g < unpacked_.size(); ++g) view_.groups[g].observations = absl::MakeSpan(unpacked_[g]);
  all_fit_ = true;
  for (size_t g = 0; g < taken_.size(); ++g) {
    taken_[g].resize(view_.groups[g].continuous_actions.size() / shape_.rollout_length);
    const bool sent = !view_.groups[g].log_probabilities.empty();
    unsent_log_probabilities_[g].resize(sent ? 0 : static_cast<size_t>(shape_.copies) * spec_.groups[g].num_agents());
  }
  chunk->clear_episodes();
  ForEachKept(
      FieldRows::kTruncated, [](auto&, auto& rows) { rows.clear(); }, view_, truncated_);
  PointAtStep(0);
  if (!has_carry_) {
    for (auto& group : view_.groups) {
      std::ranges::fill(RowOf(group.option_states, 0, shape_.rollout_length + 1), 0.0f);
    }
    return;
  }
  ForEachKept(FieldRows::kObserved, kCopyKept, view_, carry_);
}

void ChunkBuilder::PointAt(int row, ObservationRow* observations) {
  const int rows = shape_.rollout_length + 1;
  for (int g = 0; g < view_.groups.size(); ++g) {
    observations->groups[g] = {.observations = RowOf(view_.groups[g].observations, row, rows),
                               .action_masks = RowOf(view_.groups[g].action_masks, row, rows),
                               .alive = RowOf(view_.groups[g].alive, row, rows)};
  }
  observations->state_extras = RowOf(view_.state_extras, row, rows);
}

void ChunkBuilder::SetStep(int t) {
  PointAtStep(t);
  Round(t, present_);
}

void ChunkBuilder::Round(int row, const ObservationRow& observations) {
  for (size_t g = 0; g < unpacked_.size(); ++g) {
    const absl::Span<float> floats = observations.groups[g].observations;
    const absl::Span<uint16_t> halves =
        RowOf(HalfObservations(chunk_->mutable_groups(static_cast<int>(g))), row, shape_.rollout_length + 1);
    all_fit_ &= FloatsToHalves(floats, halves.data());
    HalvesToFloats(halves, floats.data());
  }
}

void ChunkBuilder::PointAtStep(int t) {
  step_ = t;
  const int steps = shape_.rollout_length;
  PointAt(t, &present_);
  PointAt(t + 1, &next_);
  for (int g = 0; g < view_.groups.size(); ++g) {
    const auto& group = view_.groups[g];
    // Of the tensors of actions one is there.
    const absl::Span<int32_t> discrete =
        group.discrete_actions.empty() ? group.multi_discrete_actions : group.discrete_actions;
    chosen_[g] = {.discrete = RowOf(discrete, t, steps),
                  .sampled = RowOf(group.continuous_actions, t, steps),
                  .taken = absl::MakeSpan(taken_[g]),
                  .log_probabilities = group.log_probabilities.empty() ? absl::MakeSpan(unsent_log_probabilities_[g])
                                                                       : RowOf(group.log_probabilities, t, steps),
                  .options = RowOf(group.options, t, steps),
                  .option_log_probabilities = RowOf(group.option_log_probabilities, t, steps)};
    option_states_[g] = RowOf(group.option_states, t + 1, steps + 1);
    network_states_[g] = {};
    if (!group.network_states.empty() && t % shape_.network_states[g].sequence_length == 0) {
      const int length = shape_.network_states[g].sequence_length;
      network_states_[g] = RowOf(group.network_states, t / length, (steps + length - 1) / length);
    }
    learns_[g] = RowOf(group.learns, t, steps);
    actions_.groups[g] = {.discrete = chosen_[g].discrete, .continuous = chosen_[g].taken};
    outcome_.rewards[g] = RowOf(group.rewards, t, steps);
  }
  outcome_.terminated = RowOf(view_.terminated, t, steps);
  outcome_.truncated = RowOf(view_.truncated, t, steps);
}

void ChunkBuilder::Record(absl::Span<const TruncatedCopy> truncated, absl::Span<const FinishedCopy> finished,
                          const Matches* matches) {
  for (const TruncatedCopy& copy : truncated) {
    truncated_.truncated_at.push_back(step_);
    truncated_.truncated_at.push_back(copy.copy);
    for (int g = 0; g < truncated_.groups.size(); ++g) {
      Append(copy.final_observations[g], &truncated_.groups[g].final_observations);
      if (shape_.asks_who_lives) Append(copy.final_alive[g], &truncated_.groups[g].final_alive);
      if (shape_.values_actions && spec_.groups[g].has_masks()) {
        Append(copy.final_action_masks[g], &truncated_.groups[g].final_action_masks);
      }
    }
    Append(copy.final_state_extras, &truncated_.final_state_extras);
  }
  for (const FinishedCopy& copy : finished) {
    if (copy.warm_up_steps > 0) continue;
    wire::FinishedEpisode& episode = *chunk_->add_episodes();
    episode.set_copy(copy.copy);
    episode.set_step(step_);
    episode.set_length(copy.length);
    for (const double value : copy.group_returns) episode.add_group_returns(static_cast<float>(value));
    for (const double value : copy.statistics) episode.add_statistics(static_cast<float>(value));
    if (matches != nullptr) matches->Describe(copy.copy, &episode);
  }
}

absl::Status ChunkBuilder::Finish() {
  AllocateTruncated(spec_, shape_, static_cast<int>(truncated_.truncated_at.size() / 2), chunk_, &view_);
  ForEachKept(FieldRows::kTruncated, kCopyKept, view_, truncated_);
  PointAt(shape_.rollout_length, &next_);
  Round(shape_.rollout_length, next_);
  const auto keep_last = [this](auto& tensor, auto& row) {
    const auto last = RowOf(tensor, shape_.rollout_length, shape_.rollout_length + 1);
    row.assign(last.begin(), last.end());
  };
  ForEachKept(FieldRows::kObserved, keep_last, view_, carry_);
  has_carry_ = true;
  if (all_fit_) return absl::OkStatus();
  return absl::OutOfRangeError(
      "an observation is beyond 65504 and does not fit in half precision (collection.half_observations)");
}

}  // namespace troupe
