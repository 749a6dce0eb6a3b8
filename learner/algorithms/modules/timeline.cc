#include "learner/algorithms/modules/timeline.h"

namespace troupe {

std::shared_ptr<const Timeline> MakeTimeline(const TrainingBatch& batch, int64_t sequence_length) {
  auto timeline = std::make_shared<Timeline>();
  timeline->columns = batch.columns;
  timeline->steps = batch.rollout_length;
  timeline->sequence_length = sequence_length;
  const int64_t steps = batch.env_steps(), columns = batch.columns;
  timeline->begins.assign(steps + columns, 0);
  for (int64_t step = 0; step < steps; ++step) {
    timeline->begins[step + columns] = batch.terminated[step] != 0 || batch.truncated[step] != 0;
  }
  for (size_t k = 0; k + 1 < batch.truncated_at.size(); k += 2) {
    timeline->finals.push_back(int64_t{batch.truncated_at[k]} * columns + batch.truncated_at[k + 1]);
  }
  return timeline;
}

}  // namespace troupe
