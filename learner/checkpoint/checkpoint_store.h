// The checkpoints of one run folder:
//
//   checkpoints/000000000120.safetensors       after update 120; the newest `keep` are kept
//   checkpoints/best.safetensors               the one with the best evaluation
//   checkpoints/best-of-update-U.safetensors   the best by evaluations that are no longer made
//   checkpoints/*.damaged                      set aside because it could not be read and an older one could
#ifndef TROUPE_LEARNER_CHECKPOINT_CHECKPOINT_STORE_H_
#define TROUPE_LEARNER_CHECKPOINT_CHECKPOINT_STORE_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "learner/checkpoint/checkpoint.h"

namespace troupe {

// Not thread-safe: one thread at a time.
class CheckpointStore {
 public:
  // `folder` exists. `keep` ≥ 1.
  CheckpointStore(std::string folder, int keep) : folder_(std::move(folder)), keep_(keep) {}

  // Writes the numbered file, then removes numbered ones beyond the newest `keep`. Errors as of WriteSafetensors; the
  // files that were there stay.
  absl::Status Write(const Checkpoint& checkpoint);
  absl::Status WriteBest(const Checkpoint& checkpoint);

  // The newest checkpoint that can be read and belongs to `run_id`; empty when there is none at all, damaged ones
  // included. best.safetensors is the last resort. What was passed over (damaged, of another run, no checkpoint) is
  // told in `passed_over`, one line each. Damaged files are renamed, and only once an older one was found good: as long
  // as none is, every call finds the folder as the first did. Errors: DATA_LOSS when there are checkpoints and none can
  // be used. UNIMPLEMENTED when one was written by another version of Troupe, and those of files when one cannot be
  // read for another reason than damage: it may be the newest, so nothing older is taken in its place.
  absl::StatusOr<std::optional<Checkpoint>> LoadNewest(const std::string& run_id,
                                                       std::vector<std::string>* passed_over) const;

  // The best one, if there is one. Errors: as of ReadCheckpoint; FAILED_PRECONDITION: it belongs to another run.
  absl::StatusOr<std::optional<Checkpoint>> LoadBest(const std::string& run_id) const;

  // Numbered checkpoints, oldest first, as (update, path). Errors: the folder cannot be listed.
  absl::StatusOr<std::vector<std::pair<uint64_t, std::string>>> List() const;
  std::string PathOf(uint64_t update) const;
  std::string best_path() const { return folder_ + "/best.safetensors"; }

 private:
  const std::string folder_;
  const int keep_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_CHECKPOINT_CHECKPOINT_STORE_H_
