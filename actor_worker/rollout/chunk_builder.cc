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

template <typename T>
void Append(absl::Span<const T> values, std::vector<T>* to) {
  to->insert(to->end(), values.begin(), values.end());
}

template <typename T>
void CopyTo(const std::vector<T>& from, absl::Span<T> to) {
  std::copy(from.begin(), from.end(), to.begin());
}

}  // namespace

ChunkBuilder::ChunkBuilder(const EnvironmentSpec& spec, ChunkShape shape) : spec_(spec), shape_(shape) {
  const size_t groups = spec_.groups.size();
  present_.groups.resize(groups);
  next_.groups.resize(groups);
  actions_.groups.resize(groups);
  outcome_.rewards.resize(groups);
  chosen_.resize(groups);
  taken_.resize(groups);
  final_observations_.resize(groups);
  carry_.resize(groups);
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
  }
  chunk->clear_episodes();
  truncated_at_.clear();
  final_state_extras_.clear();
  for (std::vector<float>& rows : final_observations_) rows.clear();
  PointAtStep(0);
  if (!has_carry_) return;
  for (int g = 0; g < carry_.size(); ++g) {
    CopyTo(carry_[g].observations, present_.groups[g].observations);
    CopyTo(carry_[g].action_masks, present_.groups[g].action_masks);
    CopyTo(carry_[g].alive, present_.groups[g].alive);
  }
  CopyTo(carry_state_extras_, present_.state_extras);
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
    chosen_[g] = {.discrete = RowOf(group.discrete_actions, t, steps),
                  .sampled = RowOf(group.continuous_actions, t, steps),
                  .taken = absl::MakeSpan(taken_[g]),
                  .log_probabilities = RowOf(group.log_probabilities, t, steps)};
    actions_.groups[g] = {.discrete = chosen_[g].discrete, .continuous = chosen_[g].taken};
    outcome_.rewards[g] = RowOf(group.rewards, t, steps);
  }
  outcome_.terminated = RowOf(view_.terminated, t, steps);
  outcome_.truncated = RowOf(view_.truncated, t, steps);
}

void ChunkBuilder::Record(absl::Span<const TruncatedCopy> truncated, absl::Span<const FinishedCopy> finished) {
  for (const TruncatedCopy& copy : truncated) {
    truncated_at_.push_back(step_);
    truncated_at_.push_back(copy.copy);
    for (int g = 0; g < final_observations_.size(); ++g) Append(copy.final_observations[g], &final_observations_[g]);
    Append(copy.final_state_extras, &final_state_extras_);
  }
  for (const FinishedCopy& copy : finished) {
    if (copy.warm_up_steps > 0) continue;
    wire::FinishedEpisode& episode = *chunk_->add_episodes();
    episode.set_copy(copy.copy);
    episode.set_step(step_);
    episode.set_length(copy.length);
    for (const double value : copy.group_returns) episode.add_group_returns(static_cast<float>(value));
    for (const double value : copy.statistics) episode.add_statistics(static_cast<float>(value));
  }
}

absl::Status ChunkBuilder::Finish() {
  AllocateTruncated(spec_, static_cast<int>(truncated_at_.size() / 2), chunk_, &view_);
  CopyTo(truncated_at_, view_.truncated_at);
  CopyTo(final_state_extras_, view_.final_state_extras);
  for (int g = 0; g < final_observations_.size(); ++g) {
    CopyTo(final_observations_[g], view_.groups[g].final_observations);
  }
  PointAt(shape_.rollout_length, &next_);
  Round(shape_.rollout_length, next_);
  for (int g = 0; g < carry_.size(); ++g) {
    const ObservationRow::Group& last = next_.groups[g];
    carry_[g].observations.assign(last.observations.begin(), last.observations.end());
    carry_[g].action_masks.assign(last.action_masks.begin(), last.action_masks.end());
    carry_[g].alive.assign(last.alive.begin(), last.alive.end());
  }
  carry_state_extras_.assign(next_.state_extras.begin(), next_.state_extras.end());
  has_carry_ = true;
  if (all_fit_) return absl::OkStatus();
  return absl::OutOfRangeError(
      "an observation is beyond 65504 and does not fit in half precision (collection.half_observations)");
}

}  // namespace troupe
