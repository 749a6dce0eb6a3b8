#include "learner/sweep/sweep_table.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "learner/reporting/progress.h"

namespace troupe {
namespace {

constexpr char kNone[] = "–";

std::string Number(double value) { return std::isfinite(value) ? absl::StrFormat("%.4g", value) : kNone; }

// Letters, not bytes: "–" and "±" are one each.
size_t WidthOf(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

std::vector<std::string> CellsOf(const RowSummary& row) {
  const Estimate& mean = row.mean;
  const Interval& interval = row.interquartile_interval;
  const bool any = !row.finished.empty();
  return {row.row,
          absl::StrCat(row.finished.size(), "/", row.planned),
          std::isfinite(mean.half_width)
              ? absl::StrCat(Number(mean.mean), " ± ", absl::StrFormat("%.2g", mean.half_width))
              : Number(mean.mean),
          Number(row.interquartile_mean),
          std::isfinite(interval.low) ? absl::StrCat(Number(interval.low), " … ", Number(interval.high)) : kNone,
          row.relative.has_value() ? absl::StrFormat("%.1f %%", 100 * *row.relative) : kNone,
          any ? FormatDuration(row.wall_seconds) : kNone,
          any ? FormatCount(row.env_steps_per_second) : kNone};
}

std::string FormatTask(const TaskSummary& task) {
  std::vector<std::vector<std::string>> lines = {
      {"row", "runs", "mean ± 95 %", "IQM", "IQM's 95 %", "relative", "wall time", "steps/s"}};
  for (const RowSummary& row : task.rows) lines.push_back(CellsOf(row));
  std::vector<size_t> widths(lines[0].size());
  for (const auto& cells : lines) {
    for (size_t c = 0; c < cells.size(); ++c) widths[c] = std::max(widths[c], WidthOf(cells[c]));
  }
  std::string text = absl::StrCat(task.task, " (environment ", task.environment, ")\n");
  for (const auto& cells : lines) {
    absl::StrAppend(&text, "  ", cells[0]);
    // Names to the left, figures to the right.
    for (size_t c = 1; c < cells.size(); ++c) {
      absl::StrAppend(&text, std::string(widths[c - 1] - (c == 1 ? WidthOf(cells[0]) : widths[c - 1]), ' '), "  ",
                      std::string(widths[c] - WidthOf(cells[c]), ' '), cells[c]);
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace

std::string FormatSweepTable(const SweepOptions& options, const std::vector<TaskSummary>& tasks) {
  std::string text;
  size_t fewest = options.last_evaluations;
  for (const TaskSummary& task : tasks) {
    absl::StrAppend(&text, FormatTask(task), "\n");
    for (const RowSummary& row : task.rows) {
      for (const FinishedRun& run : row.finished) fewest = std::min(fewest, run.records.evaluations.size());
    }
  }
  absl::StrAppend(&text, "A run's score is the mean of ", options.statistic, " over its last ",
                  options.last_evaluations, options.last_evaluations == 1 ? " evaluation" : " evaluations");
  if (fewest < static_cast<size_t>(options.last_evaluations)) {
    absl::StrAppend(&text, " (or all there are: ", fewest, " at the fewest)");
  }
  absl::StrAppend(&text,
                  ". mean ± half a 95 % interval by Student's t over runs;\nIQM: interquartile mean, the lowest and "
                  "highest ⌊n/4⌋ of n runs left out, and its 95 % percentile bootstrap interval over ",
                  kSweepResamples, "\nresamples of runs; relative: to the first row's mean",
                  ". Wall time and steps/s: of training, mean over runs.\n");
  return text;
}

}  // namespace troupe
