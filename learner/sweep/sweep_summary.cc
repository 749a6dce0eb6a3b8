#include "learner/sweep/sweep_summary.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

template <typename T>
T& FindOrAdd(std::vector<T>* list, std::string T::*name, const std::string& wanted) {
  const auto found = std::find_if(list->begin(), list->end(), [&](const T& entry) { return entry.*name == wanted; });
  if (found != list->end()) return *found;
  T& added = list->emplace_back();
  added.*name = wanted;
  return added;
}

void Summarise(RowSummary* row) {
  std::vector<double> scores;
  for (const FinishedRun& run : row->finished) {
    scores.push_back(run.score);
    row->wall_seconds += run.records.wall_seconds / row->finished.size();
    if (run.records.wall_seconds > 0) {
      row->env_steps_per_second += run.records.env_steps / run.records.wall_seconds / row->finished.size();
    }
  }
  row->mean = EstimateMean(scores);
  row->interquartile_mean = InterquartileMean(scores);
  row->interquartile_interval = BootstrapInterval(scores, InterquartileMean, kSweepResamples, /*seed=*/0);
}

std::optional<double> Relative(double mean, double first, bool smaller_is_better) {
  if (!(mean > 0 && first > 0)) return std::nullopt;
  return smaller_is_better ? first / mean : mean / first;
}

}  // namespace

absl::StatusOr<std::vector<TaskSummary>> SummariseSweep(const SweepOptions& options,
                                                        const std::vector<PlannedRun>& runs,
                                                        const std::vector<bool>& finished) {
  std::vector<TaskSummary> tasks;
  for (size_t i = 0; i < runs.size(); ++i) {
    const PlannedRun& run = runs[i];
    TaskSummary& task = FindOrAdd(&tasks, &TaskSummary::task, run.task);
    const EvaluationSettings& evaluation = run.experiment.evaluation();
    task.environment = run.experiment.environment().name();
    task.smaller_is_better = evaluation.best_by() == options.statistic && evaluation.smaller_is_better();
    RowSummary& row = FindOrAdd(&task.rows, &RowSummary::row, run.row);
    ++row.planned;
    if (!finished[i]) continue;
    absl::StatusOr<RecordedRun> records = ReadRecordedRun(absl::StrCat(options.run_folder, "/", run.name));
    RETURN_IF_ERROR(records.status());
    const absl::StatusOr<double> score = ScoreOf(*records, options.statistic, options.last_evaluations);
    if (!score.ok()) {
      return absl::Status(score.status().code(), absl::StrCat(run.name, ": ", score.status().message()));
    }
    row.finished.push_back({run.seed, *score, *std::move(records)});
  }
  for (TaskSummary& task : tasks) {
    for (RowSummary& row : task.rows) {
      Summarise(&row);
      row.relative = Relative(row.mean.mean, task.rows[0].mean.mean, task.smaller_is_better);
    }
  }
  return tasks;
}

}  // namespace troupe
