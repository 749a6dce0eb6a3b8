// What was trained on, whole: for looking into a run whose batches are in doubt, and for tests that check whose steps
// came where. A line of JSON per update:
//
//   {"update":12,"rollout_length":16,"streams":[[shard,copy,lease_epoch,sequence,policy_version],…],
//    "joint":{"terminated":"…",…},"groups":[{"observations":"…","rewards":"…",…},…]}
//
// "streams" has an entry per column; tensors are those of common/wire/trajectory_fields.h that the run has, base64 of
// their numbers as they lie in memory, in the shapes of learner/batch/training_batch.h.
#ifndef TROUPE_LEARNER_REPORTING_BATCH_LOG_H_
#define TROUPE_LEARNER_REPORTING_BATCH_LOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "learner/batch/training_batch.h"

namespace troupe {

std::string FormatBatch(uint64_t update, const TrainingBatch& batch);

// Appends lines and keeps none back: what a killed process trained on is there. Not thread-safe.
class BatchLog {
 public:
  // Errors: the file cannot be opened.
  static absl::StatusOr<std::unique_ptr<BatchLog>> Open(const std::string& path);
  ~BatchLog();
  BatchLog(const BatchLog&) = delete;
  BatchLog& operator=(const BatchLog&) = delete;

  // `update`: counted from 1, as in metrics.jsonl. Errors: that of the first line that could not be written whole;
  // nothing is written after it, for it would follow on a part of a line.
  absl::Status Append(uint64_t update, const TrainingBatch& batch);

 private:
  BatchLog(std::string path, int file) : path_(std::move(path)), file_(file) {}

  const std::string path_;
  const int file_;
  absl::Status status_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPORTING_BATCH_LOG_H_
