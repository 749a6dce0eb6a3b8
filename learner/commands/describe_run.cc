#include "learner/commands/describe_run.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_loader.h"
#include "common/files/atomic_file.h"
#include "common/files/best_evaluation.h"
#include "common/files/safetensors.h"
#include "learner/checkpoint/checkpoint_store.h"
#include "learner/reporting/banner.h"
#include "learner/sweep/recorded_run.h"

namespace troupe {
namespace {

constexpr size_t kShownEvaluations = 5;

std::string Row(const std::string& name, const std::string& value) {
  return absl::StrFormat("  %-12s %s\n", name, value);
}

// The learner that holds the run's lock; empty: there is none. From the kernel's list (proc(5)), for whoever tried the
// lock would hold it for a moment.
std::string WhoWorksThere(const std::string& folder) {
  struct stat facts;
  if (stat((folder + "/lock").c_str(), &facts) != 0) return "";
  const std::string file = absl::StrFormat("%02x:%02x:%d", major(facts.st_dev), minor(facts.st_dev), facts.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.size() > 5 && words[1] == "FLOCK" && words[5] == file) {
      return absl::StrCat("a learner works here, process ", words[4]);
    }
  }
  return "";
}

std::string DescribeCheckpoints(const std::string& folder) {
  const CheckpointStore store(folder, 1);
  const auto numbered = store.List();
  std::vector<std::string> words;
  if (numbered.ok()) {
    for (const auto& [update, path] : *numbered) words.push_back(absl::StrCat(update));
  }
  const bool has_best = FileExists(store.best_path()).value_or(false);
  if (words.empty() && !has_best) return "none";
  return absl::StrCat(words.empty() ? "" : absl::StrCat("of updates ", absl::StrJoin(words, ", ")),
                      words.empty() || !has_best ? "" : ", and ", has_best ? "the best" : "");
}

// Batches that were kept because a loss or gradient of theirs was not finite.
std::string DescribeKeptBatches(const std::string& folder) {
  const absl::StatusOr<std::vector<std::string>> names = ListFolder(folder);
  if (!names.ok() || names->empty()) return "";
  return Row("diverged", absl::StrCat(names->size(), names->size() == 1 ? " batch" : " batches", " kept in ", folder,
                                      ", the last ", *std::ranges::max_element(*names)));
}

// A line for each actor file: what it was trained on, what it is best by.
std::string DescribeActors(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".safetensors") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::string text;
  for (const std::filesystem::path& path : paths) {
    const absl::StatusOr<SafetensorsFile> file = ReadSafetensors(path.string());
    std::string what = file.ok() ? "" : std::string(file.status().message());
    if (file.ok()) {
      const auto steps = file->metadata.find("env_steps");
      if (steps != file->metadata.end()) what = absl::StrCat("after ", steps->second, " steps");
      const auto best = ReadBestEvaluation(file->metadata);
      if (best.ok() && best->has_value()) {
        absl::StrAppend(&what, ", ", (*best)->basis.statistic, " ", absl::StrFormat("%.4g", (*best)->value));
      }
    }
    absl::StrAppend(&text, Row(text.empty() ? "actors" : "", absl::StrCat(path.filename().string(), ": ", what)));
  }
  return text;
}

// The last evaluations by the statistic that the experiment goes by.
std::string DescribeEvaluations(const RecordedRun& run, const EvaluationSettings& settings) {
  if (run.evaluations.empty()) return Row("evaluations", "none");
  std::string text;
  const size_t count = run.evaluations.size(), shown = std::min(count, kShownEvaluations);
  for (size_t i = count - shown; i < count; ++i) {
    std::string value = "–";
    for (const auto& [name, figure] : run.evaluations[i].figures) {
      if (name == settings.best_by()) value = absl::StrFormat("%.4g", figure);
    }
    absl::StrAppend(
        &text, Row(text.empty() ? "evaluations" : "",
                   absl::StrCat(text.empty() ? absl::StrCat(count, count > shown ? ", the last: " : ": ") : "",
                                settings.best_by(), " ", value, " after ", WithThousands(run.evaluations[i].env_steps),
                                " steps")));
  }
  return text;
}

}  // namespace

absl::StatusOr<std::string> DescribeRun(const std::string& folder) {
  const std::string experiment_path = folder + "/experiment.textproto";
  ASSIGN_OR_RETURN(const bool is_run, FileExists(experiment_path));
  if (!is_run) return absl::NotFoundError(absl::StrCat(folder, ": not a run's folder: no experiment.textproto in it"));
  ASSIGN_OR_RETURN(const Experiment experiment, LoadExperiment(experiment_path, {}));
  ASSIGN_OR_RETURN(const RecordedRun run, ReadRecordedRun(folder));
  const absl::StatusOr<std::string> run_id = ReadWholeFile(folder + "/run_id");
  const double done = 100.0 * run.env_steps / experiment.total_env_steps();
  std::string text = absl::StrCat("run ", experiment.name(), " (seed ", experiment.seed(), ", id ",
                                  run_id.ok() ? std::string(absl::StripAsciiWhitespace(*run_id)) : "none", ") of ",
                                  experiment.environment().name(), " with ", experiment.algorithm().name(), "\n");
  absl::StrAppend(&text,
                  Row("trained", absl::StrFormat("%s of %s environment steps, %.1f %%", WithThousands(run.env_steps),
                                                 WithThousands(experiment.total_env_steps()), done)));
  if (run.wall_seconds > 0) {
    absl::StrAppend(
        &text, Row("time", absl::StrFormat("%.0f s, %s steps/s", run.wall_seconds,
                                           WithThousands(static_cast<uint64_t>(run.env_steps / run.wall_seconds)))));
  }
  const std::string worker = WhoWorksThere(folder);
  absl::StrAppend(&text, Row("now", worker.empty() ? (done >= 100 ? "finished"
                                                                  : "nobody works here; the command that "
                                                                    "began it goes on with it")
                                                   : worker));
  absl::StrAppend(&text, Row("checkpoints", DescribeCheckpoints(folder + "/checkpoints")),
                  DescribeKeptBatches(folder + "/diverged"), DescribeActors(folder + "/actors"),
                  DescribeEvaluations(run, experiment.evaluation()));
  const absl::StatusOr<std::string> table = ReadWholeFile(folder + "/evaluation.txt");
  if (table.ok()) {
    absl::StrAppend(&text, "\n", absl::StripAsciiWhitespace(*table), "\n");
  }
  absl::StripTrailingAsciiWhitespace(&text);
  return text;
}

}  // namespace troupe
