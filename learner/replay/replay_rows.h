// Rows of a batch's tensors that are not of single steps, copied into another batch.
#ifndef TROUPE_LEARNER_REPLAY_REPLAY_ROWS_H_
#define TROUPE_LEARNER_REPLAY_REPLAY_ROWS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "learner/batch/training_batch.h"

namespace troupe {

// Row `row` of a tensor of `rows` rows, written as row `to_row` of one of equally wide rows; nothing of an empty one.
template <typename T>
void CopyRow(const std::vector<T>& from, int64_t rows, int64_t row, int64_t to_row, std::vector<T>* to) {
  if (from.empty()) return;
  const int64_t width = static_cast<int64_t>(from.size()) / rows;
  std::copy_n(from.begin() + row * width, width, to->begin() + to_row * width);
}

// Writes final state `number` of a batch behind those that `to` has.
void AppendFinal(const TrainingBatch& from, int64_t number, TrainingBatch* to);

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPLAY_REPLAY_ROWS_H_
