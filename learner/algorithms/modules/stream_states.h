// What a recurrent critic remembers where one batch's columns end and another's go on.
//
// A column goes on where the one before left off when it is the next chunk of the same lease. Others begin with nothing
// remembered: at a lease's first chunk an episode begins; after a chunk that was lost on the way or dropped for its age
// nobody knows what the critic would remember. Nothing of this is kept in a checkpoint: a learner that goes on leases
// every shard anew.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_STREAM_STATES_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_STREAM_STATES_H_

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "learner/batch/training_batch.h"

namespace troupe {

// Not thread-safe. At most an entry for every environment copy that this learner trains on.
class StreamStates {
 public:
  // `size`: numbers remembered of a column.
  explicit StreamStates(int64_t size) : size_(size) {}

  // Writes what is remembered where the batch's columns begin, [columns, size].
  void Read(const TrainingBatch& batch, float* to) const;
  // `last` [columns, size]: what is remembered after the last step.
  void Keep(const TrainingBatch& batch, const std::vector<float>& last);

 private:
  struct Entry {
    ColumnStream last;
    std::vector<float> values;
  };

  int64_t size_;
  std::map<std::pair<uint32_t, uint32_t>, Entry> entries_;  // by shard and copy
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_STREAM_STATES_H_
