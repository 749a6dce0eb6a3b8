#include "learner/algorithms/modules/trained_rows.h"

#include <algorithm>

namespace troupe {
namespace {

// The groups whose return column `column` of the critic estimates.
std::vector<int> GroupsOf(const CriticLayout& critic, int column) {
  return critic.team ? critic.team_groups : std::vector<int>{critic.agents[column].first};
}

bool AllFrozen(const std::vector<int>& groups, const std::vector<uint8_t>& frozen) {
  return std::ranges::all_of(groups, [&](int g) { return frozen[g] != 0; });
}

}  // namespace

std::vector<uint8_t> TrainedRows(const GroupBatch& batch, bool frozen) {
  std::vector<uint8_t> trained(batch.alive.begin(), batch.alive.begin() + static_cast<int64_t>(batch.rewards.size()));
  if (frozen) std::ranges::fill(trained, 0);
  for (size_t i = 0; i < batch.learns.size(); ++i) trained[i] &= batch.learns[i];
  return trained;
}

bool IsFrozen(const CriticLayout& critic, const std::vector<uint8_t>& frozen) {
  for (int column = 0; column < critic.columns(); ++column) {
    if (!AllFrozen(GroupsOf(critic, column), frozen)) return false;
  }
  return true;
}

void LeaveOutValues(const CriticLayout& critic, const std::vector<uint8_t>& frozen, const TrainingBatch& batch,
                    std::vector<uint8_t>* active) {
  const int64_t columns = critic.columns(), steps = batch.env_steps();
  for (int64_t column = 0; column < columns; ++column) {
    const std::vector<int> groups = GroupsOf(critic, static_cast<int>(column));
    const bool out = AllFrozen(groups, frozen);
    // A saved version plays all of a team or nobody.
    const GroupBatch& group = batch.groups[groups.front()];
    if (!out && group.learns.empty()) continue;
    const int64_t agents = static_cast<int64_t>(group.rewards.size()) / steps;
    const int64_t agent = critic.team ? 0 : critic.agents[column].second;
    for (int64_t step = 0; step < steps; ++step) {
      if (out || group.learns[step * agents + agent] == 0) (*active)[step * columns + column] = 0;
    }
  }
}

}  // namespace troupe
