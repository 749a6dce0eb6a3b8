// Batches that are kept to be trained on more than once: whole columns, copied once, packed so that a step lies
// together (packed_steps.h), the oldest making room for the newest. Bounded in bytes. No LibTorch.
//
// Columns are stitched where one continues another step for step (ColumnStream::Continues), so that what followed a
// piece's last step is found in the next piece; never across a lease's end, a piece that was lost, or an episode's end.
#ifndef TROUPE_LEARNER_REPLAY_REPLAY_STORE_H_
#define TROUPE_LEARNER_REPLAY_REPLAY_STORE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "learner/batch/training_batch.h"
#include "learner/replay/packed_steps.h"

namespace troupe {

// A joint step: step t of a column of the batch of this number. Batches are numbered 0, 1, 2, … as they are added.
struct ReplayPlace {
  uint64_t batch = 0;
  int step = 0;
  int column = 0;
  bool operator==(const ReplayPlace&) const = default;
};

// Which columns of every batch are kept here: [first, first + count) of `all`; the others are other learners'.
struct ReplayShare {
  int64_t first = 0, count = 0, all = 0;
};

// Not thread-safe.
class ReplayStore {
 public:
  // At most `most_bytes`.
  explicit ReplayStore(int64_t most_bytes) : most_bytes_(most_bytes) {}

  // What keeping the batch takes.
  static int64_t Bytes(const TrainingBatch& batch);
  // What keeping one of its sizes takes at least: if no episode were truncated in it.
  static int64_t LeastBytes(const TrainingBatch& batch);

  // Keeps a copy. `bytes` is Bytes(batch), or, where several learners share the bound, the sum of theirs, so that all
  // of them keep the same batches. Room is made before anything is allocated. Nothing is changed with
  //   INVALID_ARGUMENT    another shape than the batches before, or no stream for each column
  //   RESOURCE_EXHAUSTED  the batch alone is more than the bound
  absl::Status Add(const TrainingBatch& batch, int64_t bytes);

  // What is added next has this number. Of a store that holds nothing.
  void BeginAt(uint64_t number) { first_ = number; }

  // Those kept are numbered [first(), end()).
  uint64_t first() const { return first_; }
  uint64_t end() const { return first_ + slots_.size(); }
  int64_t bytes() const { return bytes_; }
  // How the steps of all of them are packed, and those of one; its final states, network states and streams. There is
  // at least one batch.
  const StepPacking& packing() const { return *packing_; }
  const std::vector<char>& packed(uint64_t number) const { return slots_[number - first_].packed; }
  const TrainingBatch& rest(uint64_t number) const { return slots_[number - first_].rest; }

  // The joint step that followed in the same episode; none where the episode ended with `place`, or where what followed
  // is not here.
  std::optional<ReplayPlace> Following(const ReplayPlace& place) const;
  // The joint step after `place` in the same stream, of whatever episode; none where it is not here.
  std::optional<ReplayPlace> NextOf(const ReplayPlace& place) const;
  // Which of its batch's final states followed a truncated step.
  int64_t FinalOf(const ReplayPlace& place) const;

  // `count` joint steps, independent and uniform over all that are kept, by every learner: of them those of `share`, in
  // order. Only those whose step is a multiple of `every` can be drawn. What is drawn depends on `key` and on how many
  // batches of what shape are kept. There is at least one.
  std::vector<ReplayPlace> Draw(uint64_t key, int64_t count, const ReplayShare& share, int every = 1) const;

 private:
  struct Piece {
    uint64_t batch = 0;
    int column = -1;  // none
  };
  struct Slot {
    TrainingBatch rest;
    std::vector<char> packed;
    int64_t bytes = 0;
    std::vector<Piece> next;        // [B], what continues each column
    std::vector<int32_t> final_of;  // [T, B], empty where no episode was truncated
  };
  struct Last {
    ColumnStream stream;
    Piece piece;
  };

  const int64_t most_bytes_;
  int64_t bytes_ = 0;
  uint64_t first_ = 0;
  std::optional<StepPacking> packing_;  // once there was a batch
  std::deque<Slot> slots_;
  std::map<std::pair<uint32_t, uint32_t>, Last> last_;  // newest piece of each shard's copy
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPLAY_REPLAY_STORE_H_
