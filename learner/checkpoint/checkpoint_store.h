// The checkpoints of one run folder:
//
//   checkpoints/000000000120.safetensors   after update 120; the newest `keep` are kept
//   checkpoints/best.safetensors           the one with the best evaluation
//   checkpoints/*.damaged                  set aside because it could not be read
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

  // The newest checkpoint that can be read and belongs to `run_id`; empty when there is none at all. What had to be
  // passed over is told in `refused`, one line each; damaged files are set aside. best.safetensors is the last resort.
  // Errors: DATA_LOSS when there are checkpoints and none can be used.
  absl::StatusOr<std::optional<Checkpoint>> LoadNewest(const std::string& run_id, std::vector<std::string>* refused);

  // Numbered checkpoints, oldest first, as (update, path).
  std::vector<std::pair<uint64_t, std::string>> List() const;
  std::string PathOf(uint64_t update) const;
  std::string best_path() const { return folder_ + "/best.safetensors"; }

 private:
  const std::string folder_;
  const int keep_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_CHECKPOINT_CHECKPOINT_STORE_H_
