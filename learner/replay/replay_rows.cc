#include "learner/replay/replay_rows.h"

namespace troupe {
namespace {

template <typename T>
void AppendRow(const std::vector<T>& from, int64_t rows, int64_t row, std::vector<T>* to) {
  const int64_t width = static_cast<int64_t>(from.size()) / rows;
  to->insert(to->end(), from.begin() + row * width, from.begin() + (row + 1) * width);
}

}  // namespace

void AppendFinal(const TrainingBatch& from, int64_t number, TrainingBatch* to) {
  const int64_t finals = static_cast<int64_t>(from.truncated_at.size()) / 2;
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
