#include "learner/replay/replay_sample.h"

#include <algorithm>
#include <optional>

#include "learner/batch/team_reward.h"

namespace troupe {
namespace {

// A state of a batch: row `row` of its observed tensors, or of its final ones.
struct State {
  const TrainingBatch* batch = nullptr;
  int64_t row = 0;
  bool is_final = false;
};

// Row `row` of a tensor of `rows` rows, written as row `to_row` of one of equally wide rows.
template <typename T>
void CopyRow(const std::vector<T>& from, int64_t rows, int64_t row, int64_t to_row, std::vector<T>* to) {
  const int64_t width = static_cast<int64_t>(from.size()) / rows;
  std::copy_n(from.begin() + row * width, width, to->begin() + to_row * width);
}

void CopyState(const State& state, int64_t to_row, TrainingBatch* to) {
  const TrainingBatch& from = *state.batch;
  const int64_t rows = state.is_final ? static_cast<int64_t>(from.truncated_at.size()) / 2
                                      : int64_t{from.rollout_length + 1} * from.columns;
  CopyRow(state.is_final ? from.final_state_extras : from.state_extras, rows, state.row, to_row, &to->state_extras);
  for (size_t g = 0; g < from.groups.size(); ++g) {
    const GroupBatch& group = from.groups[g];
    GroupBatch* const into = &to->groups[g];
    CopyRow(state.is_final ? group.final_observations : group.observations, rows, state.row, to_row,
            &into->observations);
    CopyRow(state.is_final ? group.final_action_masks : group.action_masks, rows, state.row, to_row,
            &into->action_masks);
    CopyRow(state.is_final ? group.final_alive : group.alive, rows, state.row, to_row, &into->alive);
  }
}

// As large as `columns` joint steps of the store's batches.
TrainingBatch MakeStates(const TrainingBatch& like, int64_t columns) {
  TrainingBatch states;
  states.rollout_length = 1;
  states.columns = static_cast<int>(columns);
  const int64_t seen = int64_t{like.rollout_length + 1} * like.columns, acted = like.env_steps();
  const auto sized = [&](const auto& tensor, int64_t rows, int64_t into_rows, auto* to) {
    to->resize(static_cast<int64_t>(tensor.size()) / rows * into_rows);
  };
  sized(like.state_extras, seen, 2 * columns, &states.state_extras);
  states.terminated.resize(columns);
  states.truncated.resize(columns);
  for (const GroupBatch& group : like.groups) {
    GroupBatch& into = states.groups.emplace_back();
    sized(group.observations, seen, 2 * columns, &into.observations);
    sized(group.action_masks, seen, 2 * columns, &into.action_masks);
    sized(group.alive, seen, 2 * columns, &into.alive);
    sized(group.discrete_actions, acted, columns, &into.discrete_actions);
    sized(group.multi_discrete_actions, acted, columns, &into.multi_discrete_actions);
    sized(group.continuous_actions, acted, columns, &into.continuous_actions);
    sized(group.rewards, acted, columns, &into.rewards);
  }
  return states;
}

}  // namespace

ReplaySample GatherSample(const ReplayStore& store, const std::vector<ReplayPlace>& places,
                          const ReturnSettings& settings) {
  const int64_t count = static_cast<int64_t>(places.size());
  ReplaySample sample{.states = MakeStates(store.batch(store.first()), count),
                      .team_rewards = std::vector<float>(count),
                      .discounts = std::vector<float>(count)};
  std::vector<std::vector<double>> returns;  // of the agents of each group
  for (const GroupBatch& group : sample.states.groups) {
    returns.emplace_back(count > 0 ? group.rewards.size() / count : 0);
  }
  for (int64_t i = 0; i < count; ++i) {
    ReplayPlace place = places[i];
    const TrainingBatch* batch = &store.batch(place.batch);
    int64_t cell = int64_t{place.step} * batch->columns + place.column;
    CopyState({batch, cell}, i, &sample.states);
    for (size_t g = 0; g < batch->groups.size(); ++g) {
      GroupBatch* const into = &sample.states.groups[g];
      CopyRow(batch->groups[g].discrete_actions, batch->env_steps(), cell, i, &into->discrete_actions);
      CopyRow(batch->groups[g].multi_discrete_actions, batch->env_steps(), cell, i, &into->multi_discrete_actions);
      CopyRow(batch->groups[g].continuous_actions, batch->env_steps(), cell, i, &into->continuous_actions);
      std::fill(returns[g].begin(), returns[g].end(), 0.0);
    }
    double team = 0, weight = 1;
    for (int k = 1;; ++k) {
      team += weight * TeamRewardAt(*batch, cell, settings.team_reward);
      for (size_t g = 0; g < returns.size(); ++g) {
        const auto agents = static_cast<int64_t>(returns[g].size());
        for (int64_t a = 0; a < agents; ++a) returns[g][a] += weight * batch->groups[g].rewards[cell * agents + a];
      }
      weight *= settings.discount;
      State after{batch, cell + batch->columns};
      if (batch->terminated[cell] != 0) {
        weight = 0;
      } else if (batch->truncated[cell] != 0) {
        after = {batch, store.FinalOf(place), /*is_final=*/true};
      } else if (const auto next = store.Following(place); k < settings.n && next.has_value()) {
        place = *next;
        batch = &store.batch(place.batch);
        cell = int64_t{place.step} * batch->columns + place.column;
        continue;
      }
      CopyState(after, count + i, &sample.states);
      break;
    }
    sample.team_rewards[i] = static_cast<float>(team);
    sample.discounts[i] = static_cast<float>(weight);
    for (size_t g = 0; g < returns.size(); ++g) {
      std::copy(returns[g].begin(), returns[g].end(),
                sample.states.groups[g].rewards.begin() + i * static_cast<int64_t>(returns[g].size()));
    }
  }
  return sample;
}

}  // namespace troupe
