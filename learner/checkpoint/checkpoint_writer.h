// Writes checkpoints and exported actors beside the training thread.
#ifndef TROUPE_LEARNER_CHECKPOINT_CHECKPOINT_WRITER_H_
#define TROUPE_LEARNER_CHECKPOINT_CHECKPOINT_WRITER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/threads/named_thread.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/checkpoint/checkpoint_store.h"

namespace troupe {

// What became of one write, told on the writer's thread.
struct CheckpointWrite {
  uint64_t update = 0;
  uint64_t env_steps = 0;
  bool best = false;
  double seconds = 0;
  absl::Status status;
};

// Thread-safe. Holds at most one regular and one best checkpoint besides the one being written; a newer one takes the
// place of one that still waits. A write that fails is reported and the files of before stay. Destruction writes what
// waits.
class CheckpointWriter {
 public:
  // Regular checkpoints also replace ACTORS_FOLDER/last.safetensors, best ones ACTORS_FOLDER/best.safetensors. `store`
  // is the writer's from now on.
  CheckpointWriter(CheckpointStore store, std::string actors_folder,
                   std::function<void(const CheckpointWrite&)> report);
  ~CheckpointWriter();

  void Write(std::shared_ptr<const Checkpoint> checkpoint);
  void WriteBest(std::shared_ptr<const Checkpoint> checkpoint);

  // Waits until everything given so far is written or has failed.
  void Flush();

 private:
  using Pending = std::shared_ptr<const Checkpoint>;

  void Run();
  void Perform(const Checkpoint& checkpoint, bool best);
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closed_ || regular_ != nullptr || best_ != nullptr;
  }
  bool IsIdle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return regular_ == nullptr && best_ == nullptr && !writing_;
  }

  CheckpointStore store_;
  const std::string actors_folder_;
  const std::function<void(const CheckpointWrite&)> report_;
  absl::Mutex mutex_;
  Pending regular_ ABSL_GUARDED_BY(mutex_);
  Pending best_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  NamedThread thread_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_CHECKPOINT_CHECKPOINT_WRITER_H_
