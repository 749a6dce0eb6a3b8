// Writes checkpoints and exported actors beside the training thread.
#ifndef TROUPE_LEARNER_CHECKPOINT_CHECKPOINT_WRITER_H_
#define TROUPE_LEARNER_CHECKPOINT_CHECKPOINT_WRITER_H_

#include <array>
#include <functional>
#include <memory>
#include <optional>
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
// place of one that still waits. A write that fails is reported and the files of before stay; a best one is tried again
// with the next write, for no other of its policy will come. Destruction writes what waits.
class CheckpointWriter {
 public:
  // Regular checkpoints also replace ACTORS_FOLDER/last.safetensors, best ones ACTORS_FOLDER/best.safetensors. `store`
  // is the writer's from now on.
  CheckpointWriter(CheckpointStore store, std::string actors_folder,
                   std::function<void(const CheckpointWrite&)> report);
  ~CheckpointWriter();

  void Write(std::shared_ptr<const Checkpoint> checkpoint);
  void WriteBest(std::shared_ptr<const Checkpoint> checkpoint);

  // Waits until everything given so far is written or has failed, what failed before tried once more. OK: the newest
  // regular and the newest best one are on disk, actors included. Otherwise an error that names the files that are
  // older, says of which update they are and why.
  absl::Status Flush();

 private:
  using Pending = std::shared_ptr<const Checkpoint>;
  // The files that follow the training, in the order in which they are written.
  enum File { kBestCheckpoint, kBestActors, kCheckpoint, kLastActors, kNumFiles };
  struct FileState {
    std::string path;
    uint64_t wanted = 0;              // of this update it should be
    std::optional<uint64_t> written;  // and of this one it is; empty: as this writer found it
    absl::Status status;              // of the last write
  };

  void Run();
  void Perform(const Checkpoint& checkpoint, bool best);
  void Note(File file, const std::string& path, uint64_t update, const absl::Status& status);
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
  Pending failed_regular_ ABSL_GUARDED_BY(mutex_);  // for Flush
  Pending failed_best_ ABSL_GUARDED_BY(mutex_);
  std::array<FileState, kNumFiles> files_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  NamedThread thread_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_CHECKPOINT_CHECKPOINT_WRITER_H_
