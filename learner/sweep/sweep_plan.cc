#include "learner/sweep/sweep_plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_loader.h"

namespace troupe {
namespace {

struct Base {
  std::string path;
  Experiment experiment;  // without any row's settings
  std::string task;
  std::string label;  // in its task; empty: it is alone there
};

std::string EnvironmentKey(const Experiment& experiment) {
  Experiment alone;
  *alone.mutable_environment() = experiment.environment();
  return FormatExperiment(alone);
}

// Sets task and label of each.
void GroupByTask(std::vector<Base>* bases) {
  std::map<std::string, std::vector<Base*>> tasks;
  for (Base& base : *bases) tasks[EnvironmentKey(base.experiment)].push_back(&base);
  for (auto& [key, members] : tasks) {
    std::set<std::string> algorithms;
    for (const Base* member : members) algorithms.insert(member->experiment.algorithm().name());
    for (Base* member : members) {
      member->task = members[0]->experiment.name();
      if (members.size() == 1) continue;
      member->label =
          algorithms.size() == members.size() ? member->experiment.algorithm().name() : member->experiment.name();
    }
  }
}

absl::StatusOr<std::vector<Base>> LoadBases(const SweepOptions& options) {
  std::vector<Base> bases;
  std::map<std::string, std::string> path_of_name;
  for (const std::string& path : options.experiments) {
    ASSIGN_OR_RETURN(Experiment experiment, LoadExperiment(path, options.overrides));
    const auto [other, is_new] = path_of_name.emplace(experiment.name(), path);
    if (!is_new) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": name: \"", experiment.name(), "\" is that of ",
                                                     other->second, " too; their runs would share folders"));
    }
    bases.push_back({path, std::move(experiment), "", ""});
  }
  GroupByTask(&bases);
  return bases;
}

// The row's own name, or what stands for the experiment as it is.
std::string NameOf(const SweepRow& row, const Base& base) {
  return row.name.empty() ? base.experiment.algorithm().name() : row.name;
}

absl::StatusOr<PlannedRun> Plan(const SweepOptions& options, const Base& base, const SweepRow& row, uint64_t seed) {
  std::vector<std::string> overrides = options.overrides;
  overrides.insert(overrides.end(), row.overrides.begin(), row.overrides.end());
  overrides.push_back(absl::StrCat("seed=", seed));
  PlannedRun run;
  absl::StatusOr<Experiment> experiment = LoadExperiment(base.path, overrides);
  if (!experiment.ok()) {
    return absl::Status(
        experiment.status().code(),
        absl::StrCat(row.name.empty() ? "" : absl::StrCat("row ", row.name, ": "), experiment.status().message()));
  }
  run.experiment = *std::move(experiment);
  run.task = base.task;
  run.row = base.label.empty() ? NameOf(row, base)
            : row.name.empty() ? base.label
                               : absl::StrCat(base.label, "+", row.name);
  run.seed = seed;
  run.name = absl::StrCat(base.experiment.name(), "/", NameOf(row, base), "/seed", seed);
  if (run.experiment.evaluation().interval_env_steps() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(base.path,
                     ": evaluation.interval_env_steps is 0, and evaluations are what runs are compared by; "
                     "for example --set evaluation.interval_env_steps=",
                     std::max<uint64_t>(1, run.experiment.total_env_steps() / 10)));
  }
  return run;
}

}  // namespace

absl::StatusOr<std::vector<PlannedRun>> PlanSweep(const SweepOptions& options) {
  const size_t count = options.experiments.size() * options.rows.size() * options.seeds.size();
  if (count > kMostSweptRuns) {
    return absl::InvalidArgumentError(
        absl::StrCat("experiments × rows × --seeds are ", count, " runs; expected at most ", kMostSweptRuns));
  }
  ASSIGN_OR_RETURN(const std::vector<Base> bases, LoadBases(options));
  std::vector<PlannedRun> runs;
  for (const uint64_t seed : options.seeds) {
    for (const Base& base : bases) {
      for (const SweepRow& row : options.rows) {
        ASSIGN_OR_RETURN(PlannedRun run, Plan(options, base, row, seed));
        runs.push_back(std::move(run));
      }
    }
  }
  return runs;
}

}  // namespace troupe
