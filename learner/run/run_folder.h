// The folder of one run:
//
//   runs/NAME/
//     experiment.textproto   the whole experiment, defaults written, as of the last start that trained
//     run_id                 unique, made at the first start that trained, kept over restarts
//     checkpoints/           see checkpoint_store.h
//     diverged/              batches that were not finite (divergence_guard.h)
//     actors/                last, best, final .safetensors: exported policies; see run_results.h
//     workers/K.log          what local worker K printed
//     metrics.jsonl          one line per update and per evaluation (run_records.h)
//     metrics.dropped.jsonl  lines of updates that were lost and made again
//     events.out.tfevents.*  the same for TensorBoard, one file per start
//     evaluation.txt, .json  the final table
//     log.txt                what the learner printed, without the progress line
//     lock                   held while a learner works here
#ifndef TROUPE_LEARNER_RUN_RUN_FOLDER_H_
#define TROUPE_LEARNER_RUN_RUN_FOLDER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Holds the folder's lock until destruction (or the end of the process, however it ends).
class RunFolder {
 public:
  // Creates the folders that are missing, takes the lock and removes what a killed learner left half written; what says
  // whose folder it is stays as it is. Errors: FAILED_PRECONDITION: another learner works here (its process id is
  // told). Those of files.
  static absl::StatusOr<std::unique_ptr<RunFolder>> Open(const std::string& path);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  // The folder is this run's from now on: stores the id and the (complete) experiment. Not before there is something to
  // train, so that a start that comes to nothing leaves the folder to the next one.
  absl::Status Claim(const std::string& run_id, const Experiment& experiment);

  const std::string& path() const { return path_; }
  // As stored; empty: the folder is nobody's yet.
  const std::string& run_id() const { return run_id_; }
  // `name` below the folder.
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit RunFolder(std::string path) : path_(std::move(path)) {}

  absl::Status Lock();
  absl::Status LoadRunId();

  const std::string path_;
  std::string run_id_;
  int lock_ = -1, folder_lock_ = -1;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_RUN_FOLDER_H_
