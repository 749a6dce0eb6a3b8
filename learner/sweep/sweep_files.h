// A sweep's numbers for other programs:
//
//   results.json   every evaluation of every run, as marl_eval (PyPI id-marl-eval) reads it:
//                  {ENVIRONMENT: {TASK: {ROW: {"seed_S": {"step_0": {"step_count": N, STATISTIC: [mean], …}, …,
//                  "absolute_metrics": {STATISTIC: [mean over the last evaluations]}}}}}}. A list holds one number, the
//                  mean over an evaluation's episodes.
//   scores.json    the scores, as rliable wants them: "scores" has for every row a matrix [runs, tasks], whose columns
//                  "tasks" names and whose rows "seeds".
//
// Both packages compare arrays of one shape, so both files hold those seeds that all rows of all tasks have finished,
// and results.json those evaluations that all runs of a task have.
#ifndef TROUPE_LEARNER_SWEEP_SWEEP_FILES_H_
#define TROUPE_LEARNER_SWEEP_SWEEP_FILES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "learner/sweep/sweep_summary.h"

namespace troupe {

// Of options.seeds, those that every row of every task has finished.
std::vector<uint64_t> SharedSeeds(const SweepOptions& options, const std::vector<TaskSummary>& tasks);

std::string FormatMarlEvalResults(const SweepOptions& options, const std::vector<TaskSummary>& tasks);
// Rows that not every task has are left out.
std::string FormatScores(const SweepOptions& options, const std::vector<TaskSummary>& tasks);

}  // namespace troupe

#endif  // TROUPE_LEARNER_SWEEP_SWEEP_FILES_H_
