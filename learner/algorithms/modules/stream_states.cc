#include "learner/algorithms/modules/stream_states.h"

#include <algorithm>

namespace troupe {

void StreamStates::Read(const TrainingBatch& batch, float* to) const {
  for (const ColumnStream& stream : batch.streams) {
    const auto found = entries_.find({stream.shard, stream.copy});
    if (found != entries_.end() && stream.Continues(found->second.last)) {
      std::ranges::copy(found->second.values, to);
    } else {
      std::fill_n(to, size_, 0.0f);
    }
    to += size_;
  }
}

void StreamStates::Keep(const TrainingBatch& batch, const std::vector<float>& last) {
  const int64_t last_row = batch.env_steps() - batch.columns;
  for (int64_t column = 0; column < batch.columns; ++column) {
    const ColumnStream& stream = batch.streams[column];
    Entry& entry = entries_[{stream.shard, stream.copy}];
    entry.last = stream;
    const bool ended = batch.terminated[last_row + column] != 0 || batch.truncated[last_row + column] != 0;
    entry.values.assign(last.begin() + column * size_, last.begin() + (column + 1) * size_);
    if (ended) std::ranges::fill(entry.values, 0.0f);
  }
}

}  // namespace troupe
