#include "learner/run/trial.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/config/experiment_loader.h"
#include "common/config/experiment_validation.h"
#include "common/processes/piped_process.h"

namespace troupe {
namespace {

constexpr uint64_t kUpdates = 12;

class TemporaryRun {
 public:
  static absl::StatusOr<TemporaryRun> Create() {
    std::string pattern = (std::filesystem::temp_directory_path() / "troupe_trial_XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      return absl::UnavailableError(absl::StrCat(pattern, ": ", std::strerror(errno)));
    }
    return TemporaryRun(pattern);
  }
  TemporaryRun(TemporaryRun&& other) : path_(std::exchange(other.path_, "")) {}
  ~TemporaryRun() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryRun(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

std::string LastLine(const std::string& output) {
  const std::string text(absl::StripAsciiWhitespace(output));
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

TrialFigures ReadTrial(const std::string& folder) {
  TrialFigures figures;
  std::ifstream lines(folder + "/metrics.jsonl");
  double first_seconds = -1;
  for (std::string line; std::getline(lines, line);) {
    const auto record = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!record.is_object() || !record.contains("wall_seconds") || !record.contains("stage_seconds")) continue;
    const double wall_seconds = record.value("wall_seconds", 0.0);
    if (first_seconds < 0) {
      first_seconds = wall_seconds;
      continue;
    }
    ++figures.updates;
    figures.seconds = wall_seconds - first_seconds;
    figures.wait_seconds += record["stage_seconds"].value("wait", 0.0);
    figures.update_seconds += record["stage_seconds"].value("update", 0.0);
  }
  for (double* sum : {&figures.seconds, &figures.wait_seconds, &figures.update_seconds}) {
    *sum /= std::max(1, figures.updates);
  }
  return figures;
}

absl::StatusOr<TrialFigures> MakeTrial(const TrainOptions& options, const Experiment& experiment, double seconds,
                                       const std::function<bool()>& stop_requested) {
  ASSIGN_OR_RETURN(const std::string learner, SiblingProgram("learner_train"));
  ASSIGN_OR_RETURN(const TemporaryRun run, TemporaryRun::Create());
  Experiment trial = experiment;
  trial.set_total_env_steps(
      std::min<uint64_t>(experiment.total_env_steps(), kUpdates * BatchSteps(experiment.collection())));
  trial.mutable_evaluation()->set_interval_env_steps(0);
  const std::string path = run.path() + "/experiment.textproto";
  if (!(std::ofstream(path) << FormatExperiment(trial)).flush()) {
    return absl::UnavailableError(absl::StrCat(path, ": cannot be written"));
  }
  ASSIGN_OR_RETURN(
      const auto child,
      PipedProcess::Start({learner, "train", absl::StrCat("--experiment=", path),
                           absl::StrCat("--run_dir=", run.path(), "/run"), "--no_final_evaluation",
                           absl::StrCat("--local_workers=", std::max(1, options.local_workers)), "--metrics="}));
  const SteadyTime end = SteadyTime::Now() + absl::Seconds(seconds);
  std::string output;
  const absl::Status ended = child->ReadToEnd([&] { return stop_requested() || SteadyTime::Now() > end; }, &output);
  const int wait_status = child->Wait();
  if (stop_requested()) return absl::CancelledError("asked to stop");
  if (ended.ok() && wait_status != 0) {
    return absl::InternalError(absl::StrCat("the trial ", DescribeWaitStatus(wait_status), ": ", LastLine(output)));
  }
  return ReadTrial(run.path() + "/run");
}

}  // namespace troupe
