#include "learner/sweep/sweep_files.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace troupe {
namespace {

using Json = nlohmann::ordered_json;

// The runs of the row with those seeds, in their order.
std::vector<const FinishedRun*> RunsOf(const RowSummary& row, const std::vector<uint64_t>& seeds) {
  std::vector<const FinishedRun*> runs;
  for (const FinishedRun& run : row.finished) {
    if (absl::c_linear_search(seeds, run.seed)) runs.push_back(&run);
  }
  return runs;
}

// Steps at which every run of the task was evaluated.
std::set<uint64_t> SharedSteps(const TaskSummary& task, const std::vector<uint64_t>& seeds) {
  std::map<uint64_t, size_t> counts;
  size_t num_runs = 0;
  for (const RowSummary& row : task.rows) {
    for (const FinishedRun* run : RunsOf(row, seeds)) {
      ++num_runs;
      std::set<uint64_t> own;
      for (const RecordedRun::Evaluation& evaluation : run->records.evaluations) own.insert(evaluation.env_steps);
      for (const uint64_t env_steps : own) ++counts[env_steps];
    }
  }
  std::set<uint64_t> shared;
  for (const auto& [env_steps, count] : counts) {
    if (count == num_runs) shared.insert(env_steps);
  }
  return shared;
}

Json StepsOf(const FinishedRun& run, const std::set<uint64_t>& shared, int last_evaluations) {
  Json steps = Json::object();
  for (const RecordedRun::Evaluation& evaluation : run.records.evaluations) {
    if (shared.count(evaluation.env_steps) == 0) continue;
    Json step = {{"step_count", evaluation.env_steps}};
    for (const auto& [name, value] : evaluation.figures) step[name] = Json::array({value});
    steps[absl::StrCat("step_", steps.size())] = std::move(step);
  }
  Json absolute = Json::object();
  for (const auto& [name, value] : run.records.evaluations.back().figures) {
    absolute[name] = Json::array({ScoreOf(run.records, name, last_evaluations).value_or(value)});
  }
  steps["absolute_metrics"] = std::move(absolute);
  return steps;
}

}  // namespace

std::vector<uint64_t> SharedSeeds(const SweepOptions& options, const std::vector<TaskSummary>& tasks) {
  std::vector<uint64_t> shared;
  for (const uint64_t seed : options.seeds) {
    const bool everywhere = absl::c_all_of(tasks, [&](const TaskSummary& task) {
      return absl::c_all_of(task.rows, [&](const RowSummary& row) { return !RunsOf(row, {seed}).empty(); });
    });
    if (everywhere) shared.push_back(seed);
  }
  return shared;
}

std::string FormatMarlEvalResults(const SweepOptions& options, const std::vector<TaskSummary>& tasks) {
  const std::vector<uint64_t> seeds = SharedSeeds(options, tasks);
  Json results = Json::object();
  for (const TaskSummary& task : tasks) {
    const std::set<uint64_t> shared = SharedSteps(task, seeds);
    Json& rows = results[task.environment][task.task];
    for (const RowSummary& row : task.rows) {
      Json& runs = rows[row.row] = Json::object();
      for (const FinishedRun* run : RunsOf(row, seeds)) {
        runs[absl::StrCat("seed_", run->seed)] = StepsOf(*run, shared, options.last_evaluations);
      }
    }
  }
  return results.dump(1) + "\n";
}

std::string FormatScores(const SweepOptions& options, const std::vector<TaskSummary>& tasks) {
  const std::vector<uint64_t> seeds = SharedSeeds(options, tasks);
  Json names = Json::array(), scores = Json::object();
  std::map<std::string, size_t> tasks_with_row;
  for (const TaskSummary& task : tasks) {
    names.push_back(task.task);
    for (const RowSummary& row : task.rows) ++tasks_with_row[row.row];
  }
  for (const TaskSummary& task : tasks) {
    for (const RowSummary& row : task.rows) {
      if (tasks_with_row[row.row] != tasks.size()) continue;
      Json& matrix = scores.emplace(row.row, Json::array()).first.value();
      const std::vector<const FinishedRun*> runs = RunsOf(row, seeds);
      for (size_t r = 0; r < runs.size(); ++r) matrix[r].push_back(runs[r]->score);
    }
  }
  return Json({{"statistic", options.statistic},
               {"last_evaluations", options.last_evaluations},
               {"tasks", names},
               {"seeds", seeds},
               {"scores", scores}})
             .dump(1) +
         "\n";
}

}  // namespace troupe
