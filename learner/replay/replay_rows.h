// Rows of a batch's tensors, copied into another batch: what samples of a replay are made of.
#ifndef TROUPE_LEARNER_REPLAY_REPLAY_ROWS_H_
#define TROUPE_LEARNER_REPLAY_REPLAY_ROWS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "learner/batch/training_batch.h"

namespace troupe {

// Row `row` of a tensor of `rows` rows, written as row `to_row` of one of equally wide rows.
template <typename T>
void CopyRow(const std::vector<T>& from, int64_t rows, int64_t row, int64_t to_row, std::vector<T>* to) {
  if (from.empty()) return;
  const int64_t width = static_cast<int64_t>(from.size()) / rows;
  std::copy_n(from.begin() + row * width, width, to->begin() + to_row * width);
}

// A state of a batch: row `row` of its observed tensors, or of its final ones.
struct ReplayState {
  const TrainingBatch* batch = nullptr;
  int64_t row = 0;
  bool is_final = false;
};

// An empty batch of `columns` columns of `steps` steps with everything that batches like `like` have of observed steps
// and of acting; nothing of truncated episodes and network states.
TrainingBatch MakeStates(const TrainingBatch& like, int steps, int64_t columns);

// Copies rows of batches that are all of one shape, whose widths it works out once.
class RowCopier {
 public:
  explicit RowCopier(const TrainingBatch& like);

  // Writes a state as row `to_row` of the observed tensors.
  void CopyState(const ReplayState& state, int64_t to_row, TrainingBatch* to) const;
  // Writes every agent's actions and rewards at joint step `cell` as those of joint step `to_cell`.
  void CopyActing(const TrainingBatch& from, int64_t cell, int64_t to_cell, TrainingBatch* to) const;
  // Brings what both will read of a joint step, and of the state after it, nearer to the processor.
  void Prefetch(const TrainingBatch& from, int64_t cell) const;

 private:
  struct Widths {
    int64_t observations = 0, masks = 0, alive = 0, discrete = 0, multi_discrete = 0, continuous = 0, rewards = 0;
  };
  int64_t extras_ = 0;
  std::vector<Widths> groups_;
};

// Writes a final state behind those that `to` has.
void AppendFinal(const TrainingBatch& from, int64_t number, TrainingBatch* to);

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPLAY_REPLAY_ROWS_H_
