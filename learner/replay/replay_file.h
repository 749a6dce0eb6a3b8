// The batches of a replay on disk, beside a run's checkpoints, so that a run that goes on has them again:
//
//   FOLDER/000000000128.batches    records of batches 128, 129, … up to the next segment's; the newest is added to
//   record                         number, bytes of the batch, CRC-32C of both and the batch (uint64 each), the batch
//                                  (replay_record.h)
//
// A record is written whole or, when the process is killed in it, found cut off and dropped. Segments that nobody needs
// any more are removed; at most `most_bytes` are kept.
#ifndef TROUPE_LEARNER_REPLAY_REPLAY_FILE_H_
#define TROUPE_LEARNER_REPLAY_REPLAY_FILE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "learner/batch/training_batch.h"

namespace troupe {

// Not thread-safe. The folder is this object's alone. Errors of the disk name the file.
class ReplayFile {
 public:
  // Nothing is touched yet. A segment ends once it has a sixteenth of `most_bytes`.
  ReplayFile(std::string folder, int64_t most_bytes);
  ~ReplayFile();

  ReplayFile(const ReplayFile&) = delete;
  ReplayFile& operator=(const ReplayFile&) = delete;

  // Begins anew: whatever is there is removed.
  absl::Status Clear();

  // Batches first … end − 1, the last of which has this checksum.
  struct Range {
    uint64_t first = 0, end = 0;
    uint32_t checksum = 0;
  };
  // What was written last; its `first` is the oldest that is there.
  Range range() const;

  // Gives `visit` the range's batches in order, and removes all others. An error that it returns ends the reading.
  // DATA_LOSS: not all of them are there and whole, or they are others; nothing is removed then.
  using Visit = std::function<absl::Status(TrainingBatch batch)>;
  absl::Status Restore(const Range& range, const Visit& visit);

  // Adds the batch of the next number; the first one after Clear may have any.
  absl::Status Append(uint64_t number, const TrainingBatch& batch);
  // Batches before `first` will not be asked for.
  absl::Status Forget(uint64_t first);
  // What was appended survives a crash of the machine; of the process it does without.
  absl::Status Sync();

  int64_t bytes() const { return bytes_; }

 private:
  struct Segment {
    uint64_t first = 0;
    int64_t bytes = 0;
  };

  std::string PathOf(uint64_t first) const;
  absl::Status List(std::deque<Segment>* found) const;
  absl::Status OpenLast();
  absl::Status RemoveFirst();
  void Close();

  const std::string folder_;
  const int64_t most_bytes_;
  std::deque<Segment> segments_;
  uint64_t end_ = 0;       // number of the batch to come
  uint32_t checksum_ = 0;  // of the newest record
  int64_t bytes_ = 0;
  int descriptor_ = -1;  // of the newest segment
  bool is_synced_ = true;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPLAY_REPLAY_FILE_H_
