// What an algorithm keeps of its batches and draws from again: a replay (replay/replay_store.h), uniform or prioritised
// (replay/replay_priorities.h), in memory alone or in the run folder as well (replay/replay_file.h).
//
// What is kept on disk goes with checkpoints: a state says which batches the replay held and what their priorities
// were, and a run that goes on from it has both again. A disk that fails costs that alone: it is told, the files are
// given up, and training goes on. A run whose replay cannot be had again fills it anew, and is told so too.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_REPLAY_MEMORY_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_REPLAY_MEMORY_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/base/host_tensor.h"
#include "learner/ranks/collective.h"
#include "learner/replay/replay_file.h"
#include "learner/replay/replay_priorities.h"
#include "learner/replay/replay_store.h"

namespace troupe {

struct ReplayMemorySettings {
  int64_t most_bytes = 0;  // of the store, of all learners together
  int every = 1;           // only steps of a batch that are multiples of it are drawn
  bool is_prioritised = false;
  PrioritySettings priorities;      // but for `every`
  std::string folder;               // where it is kept; empty: in memory alone
  int64_t batch_bytes = 0;          // of a batch without truncated episodes
  uint64_t remembered_batches = 0;  // on disk, what the store held so many batches ago is still there
  std::function<void(const std::string&)> tell, warn;
};

// Not thread-safe. With several learners all make the same calls, but for SetError; they keep nothing on disk.
class ReplayMemory {
 public:
  // `ranks` outlives this.
  ReplayMemory(ReplayMemorySettings settings, Collective* ranks);
  ~ReplayMemory();

  // The disk that `settings` asks for at most.
  static int64_t MostDiskBytes(const ReplayMemorySettings& settings);

  // Keeps a copy. False: some number is not finite, on whichever learner, and would be drawn for as long as it is kept:
  // nothing has changed. Errors as of ReplayStore::Add, or of the learners.
  absl::StatusOr<bool> Add(const TrainingBatch& batch);

  const ReplayStore& store() const { return *store_; }
  bool is_full() const { return store_->first() > 0; }  // older batches have made room

  struct Drawn {
    std::vector<ReplayPlace> places;  // this learner's
    std::vector<float> weights;       // of each; empty: all 1
  };
  // `importance_exponent` as of ReplayPriorities::Draw. There is at least one batch.
  Drawn Draw(uint64_t key, int64_t count, double importance_exponent, const ReplayShare& share) const;
  // What was drawn had this error before it was trained on.
  void SetError(const ReplayPlace& place, double error);

  // Adds what a checkpoint needs, "replay/…", to `state`: nothing where nothing is kept on disk.
  void Save(std::vector<HostTensor>* state) const;
  // Has again what `state` says, of whose tensors those of other names are passed over. `check` looks at every batch.
  // False: there is nothing to be had, and if there should be that is told.
  using BatchCheck = std::function<absl::Status(const TrainingBatch&)>;
  bool Load(absl::Span<const HostTensor> state, const BatchCheck& check);
  static bool IsOwn(const HostTensor& tensor);

 private:
  // What is kept on disk.
  struct Kept {
    ReplayFile file;
    bool has_begun = false;         // else what lies there is of no use
    bool has_failed = false;        // told, and given up
    std::deque<uint64_t> firsts{};  // the store's, after each of the last batches
  };

  void MakePriorities(const TrainingBatch& batch, double least_bytes);
  void GiveUp(const absl::Status& why) const;
  absl::Status Write(const TrainingBatch& batch);
  // `priorities` may be null.
  absl::Status Restore(const ReplayFile::Range& range, const HostTensor* priorities, const BatchCheck& check);

  const ReplayMemorySettings settings_;
  Collective& ranks_;
  std::optional<ReplayStore> store_;            // always there
  std::optional<ReplayPriorities> priorities_;  // once a batch has told their sizes
  std::unique_ptr<Kept> kept_;                  // null: in memory alone
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_REPLAY_MEMORY_H_
