// Which runs a sweep is made of: experiments × rows × seeds, each with its complete experiment and a folder of its own.
#ifndef TROUPE_LEARNER_SWEEP_SWEEP_PLAN_H_
#define TROUPE_LEARNER_SWEEP_SWEEP_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "learner/sweep/sweep_rows.h"
#include "proto/experiment.pb.h"

namespace troupe {

constexpr int kMostSweptRuns = 10000;

struct SweepOptions {
  std::vector<std::string> experiments;  // paths
  std::vector<uint64_t> seeds;
  std::string run_folder;
  std::vector<SweepRow> rows = {{}};
  std::vector<std::string> overrides;  // for every run, before the rows'
  std::string statistic = "episode_return";
  int last_evaluations = 3;  // whose mean is a run's score
  int parallel = 1;          // runs at once
  int local_workers = 1;     // of each
  double run_minutes = 0;    // after which a run is ended; 0: never
};

struct PlannedRun {
  // Experiments that play the same environment are one task, named as the first of them. Within a task a row is one
  // column of numbers: the sweep's row, or the algorithm where there is but one; with several experiments of the task
  // that (or the experiment's name, where two have the same algorithm) and the row.
  std::string task, row;
  uint64_t seed = 0;
  Experiment experiment;  // complete
  std::string name;       // "EXPERIMENT/ROW/seedN", also the folder below the sweep's
};

// All runs, first those of the first seed, so that a sweep that is cut short has something of every row. Reads the
// experiments; nothing is written. Errors: those of LoadExperiment, with the row; INVALID_ARGUMENT naming the flag: two
// experiments of the same name, more than kMostSweptRuns, no evaluations to compare by.
absl::StatusOr<std::vector<PlannedRun>> PlanSweep(const SweepOptions& options);

}  // namespace troupe

#endif  // TROUPE_LEARNER_SWEEP_SWEEP_PLAN_H_
