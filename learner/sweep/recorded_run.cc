#include "learner/sweep/recorded_run.h"

#include <algorithm>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_loader.h"
#include "common/config/setting_changes.h"
#include "common/files/atomic_file.h"
#include "nlohmann/json.hpp"

namespace troupe {
namespace {

using Json = nlohmann::ordered_json;

// A figure that was not finite is written as null.
double NumberOf(const Json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

bool HasCount(const Json& record, const char* name) {
  return record.contains(name) && record[name].is_number_unsigned();
}

NamedFigures FiguresOf(const Json& episodes) {
  NamedFigures figures;
  for (const char* name : {"episode_return", "episode_length"}) {
    if (episodes.contains(name)) figures.emplace_back(name, NumberOf(episodes[name]));
  }
  if (!episodes.contains("statistics") || !episodes["statistics"].is_object()) return figures;
  for (const auto& [name, value] : episodes["statistics"].items()) figures.emplace_back(name, NumberOf(value));
  return figures;
}

void Read(const Json& record, RecordedRun* run) {
  if (!record.is_object() || !HasCount(record, "env_steps")) return;
  const uint64_t env_steps = record["env_steps"].get<uint64_t>();
  if (record.contains("evaluation") && record["evaluation"].is_object()) {
    run->evaluations.push_back({env_steps, FiguresOf(record["evaluation"])});
  } else if (record.contains("wall_seconds")) {
    run->env_steps = env_steps;
    run->wall_seconds = NumberOf(record["wall_seconds"]);
  }
}

bool MayDiffer(const SettingChange& change, const Experiment& before, const Experiment& now) {
  if (change.field == "total_env_steps") return now.total_env_steps() > before.total_env_steps();
  // Free while a run goes on, but a run that begins with them is another one.
  if (absl::StrContains(change.field, "initial_actors")) return false;
  return change.resume == SettingOptions::FREE && !absl::StartsWith(change.field, "evaluation.");
}

}  // namespace

absl::StatusOr<RecordedRun> ReadRecordedRun(const std::string& folder) {
  RecordedRun run;
  const std::string path = folder + "/metrics.jsonl";
  ASSIGN_OR_RETURN(const bool exists, FileExists(path));
  if (!exists) return run;
  ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path));
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    Read(Json::parse(line, nullptr, /*allow_exceptions=*/false), &run);
  }
  // They come back in the order they end.
  std::stable_sort(run.evaluations.begin(), run.evaluations.end(),
                   [](const auto& a, const auto& b) { return a.env_steps < b.env_steps; });
  return run;
}

absl::StatusOr<RunState> FindRunState(const std::string& folder, const Experiment& experiment) {
  const std::string path = folder + "/experiment.textproto";
  ASSIGN_OR_RETURN(const bool begun, FileExists(path));
  if (!begun) return RunState::kNew;
  ASSIGN_OR_RETURN(const Experiment before, LoadExperiment(path, {}));
  std::vector<SettingChange> changes = FindSettingChanges(before, experiment);
  std::erase_if(changes, [&](const SettingChange& change) { return MayDiffer(change, before, experiment); });
  if (!changes.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(folder,
                                                      " was trained with other settings: ", FormatChanges(changes),
                                                      "; give another --run_dir or move that folder away"));
  }
  ASSIGN_OR_RETURN(const bool ended, FileExists(folder + "/actors/final.safetensors"));
  ASSIGN_OR_RETURN(const RecordedRun run, ReadRecordedRun(folder));
  return ended && run.env_steps >= experiment.total_env_steps() ? RunState::kFinished : RunState::kHalfDone;
}

absl::StatusOr<double> ScoreOf(const RecordedRun& run, const std::string& statistic, int count) {
  if (run.evaluations.empty()) return absl::FailedPreconditionError("no evaluation came back");
  double sum = 0;
  const int used = std::min<int>(count, static_cast<int>(run.evaluations.size()));
  for (auto evaluation = run.evaluations.end() - used; evaluation != run.evaluations.end(); ++evaluation) {
    const auto figure = std::find_if(evaluation->figures.begin(), evaluation->figures.end(),
                                     [&](const auto& named) { return named.first == statistic; });
    if (figure == evaluation->figures.end()) {
      const auto name = [](std::string* out, const auto& named) { out->append(named.first); };
      return absl::NotFoundError(
          absl::StrCat("no statistic \"", statistic, "\"; there are ", absl::StrJoin(evaluation->figures, ", ", name)));
    }
    sum += figure->second;
  }
  return sum / used;
}

}  // namespace troupe
