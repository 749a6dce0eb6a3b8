// The table a sweep ends with, as text.
#ifndef TROUPE_LEARNER_SWEEP_SWEEP_TABLE_H_
#define TROUPE_LEARNER_SWEEP_SWEEP_TABLE_H_

#include <string>

#include "learner/sweep/sweep_summary.h"

namespace troupe {

// A table per task, then what its columns mean. A figure that is not there is shown as "–".
std::string FormatSweepTable(const SweepOptions& options, const std::vector<TaskSummary>& tasks);

}  // namespace troupe

#endif  // TROUPE_LEARNER_SWEEP_SWEEP_TABLE_H_
