// What a run's folder tells of it from outside: how far it is, and what its evaluations came to.
#ifndef TROUPE_LEARNER_SWEEP_RECORDED_RUN_H_
#define TROUPE_LEARNER_SWEEP_RECORDED_RUN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "learner/reporting/run_records.h"
#include "proto/experiment.pb.h"

namespace troupe {

struct RecordedRun {
  struct Evaluation {
    uint64_t env_steps = 0;
    NamedFigures figures;  // means over its episodes: episode_return, episode_length, the environment's statistics
  };
  std::vector<Evaluation> evaluations;  // by env_steps
  uint64_t env_steps = 0;               // trained on
  double wall_seconds = 0;              // over all its starts, evaluations at the end not counted
};

// Reads metrics.jsonl; a line that is none of its records (one cut short by a crash) counts for nothing. A file that is
// not there is a run without records. Errors: those of files.
absl::StatusOr<RecordedRun> ReadRecordedRun(const std::string& folder);

enum class RunState { kNew, kHalfDone, kFinished };

// Whether the folder holds this very run. Errors: those of files; FAILED_PRECONDITION naming every setting in which
// what was trained there differs: all may not but a total_env_steps that grew and those that decide nothing that is
// learnt (without the evaluation's, for runs are compared by it).
absl::StatusOr<RunState> FindRunState(const std::string& folder, const Experiment& experiment);

// The mean of `statistic` over the last `count` evaluations, or all when there are fewer. Errors: FAILED_PRECONDITION:
// there are none; NOT_FOUND naming the statistics there are.
absl::StatusOr<double> ScoreOf(const RecordedRun& run, const std::string& statistic, int count);

}  // namespace troupe

#endif  // TROUPE_LEARNER_SWEEP_RECORDED_RUN_H_
