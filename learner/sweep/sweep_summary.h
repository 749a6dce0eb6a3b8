// What a sweep came to: per task and row the scores of its finished runs, and what may be said of them.
#ifndef TROUPE_LEARNER_SWEEP_SWEEP_SUMMARY_H_
#define TROUPE_LEARNER_SWEEP_SWEEP_SUMMARY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/statistics/estimate.h"
#include "common/statistics/resampled_interval.h"
#include "learner/sweep/recorded_run.h"
#include "learner/sweep/sweep_plan.h"

namespace troupe {

constexpr int kSweepResamples = 10000;

struct FinishedRun {
  uint64_t seed = 0;
  double score = 0;
  RecordedRun records;
};

struct RowSummary {
  std::string row;
  int planned = 0;
  std::vector<FinishedRun> finished;  // by seed as planned
  Estimate mean;                      // of the scores, Student's t over runs
  double interquartile_mean = 0;
  Interval interquartile_interval;  // percentile bootstrap over runs, kSweepResamples of them
  // How many times as good as the task's first row, by the means: their quotient, turned over where smaller is better.
  // Nothing when a mean is not positive.
  std::optional<double> relative;
  double wall_seconds = 0, env_steps_per_second = 0;  // mean over runs, of training
};

struct TaskSummary {
  std::string environment, task;
  bool smaller_is_better = false;
  std::vector<RowSummary> rows;  // in the order of the sweep
};

// `finished[i]` says whether runs[i] is to be read. Errors: those of ReadRecordedRun and ScoreOf, with the run's name.
absl::StatusOr<std::vector<TaskSummary>> SummariseSweep(const SweepOptions& options,
                                                        const std::vector<PlannedRun>& runs,
                                                        const std::vector<bool>& finished);

}  // namespace troupe

#endif  // TROUPE_LEARNER_SWEEP_SWEEP_SUMMARY_H_
