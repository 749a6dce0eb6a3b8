#include "learner/run/final_evaluation.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/command_line/evaluation_progress.h"
#include "common/files/atomic_file.h"
#include "common/processes/piped_process.h"

namespace troupe {

std::vector<std::string> EvaluateCommand(const std::string& worker_program, const EvaluationSettings& settings,
                                         const std::string& actors, const std::string& json) {
  const std::string baselines = settings.baselines().empty() ? "all" : absl::StrJoin(settings.baselines(), ",");
  std::vector<std::string> command = {worker_program,
                                      "evaluate",
                                      absl::StrCat("--actors=", actors),
                                      absl::StrCat("--episodes=", settings.final_episodes()),
                                      absl::StrCat("--first_seed=", settings.final_first_seed()),
                                      absl::StrCat("--baselines=", baselines),
                                      absl::StrCat("--json=", json),
                                      "--allow_machine_settings",  // what this learner wrote
                                      "--progress_seconds=0.2"};
  command.push_back(settings.sample_actions() ? "--sample" : "--greedy");
  return command;
}

absl::Status RunToConsole(const std::vector<std::string>& command, const std::string& text_path, Console* console,
                          const std::function<bool()>& stop_requested) {
  ASSIGN_OR_RETURN(const auto child, PipedProcess::Start(command));
  std::string output, kept;
  size_t shown = 0;
  // Progress is shown where the run's own was, and not kept.
  const auto show = [&](const std::string& line) {
    if (line.starts_with(kEvaluationProgress)) return console->Progress(line, SteadyTime::Now());
    console->Line(line);
    absl::StrAppend(&kept, line, "\n");
  };
  RETURN_IF_ERROR(child->ReadToEnd(stop_requested, &output, [&] {
    for (size_t end; (end = output.find('\n', shown)) != std::string::npos; shown = end + 1) {
      show(output.substr(shown, end - shown));
    }
  }));
  if (shown < output.size()) show(output.substr(shown));
  const int wait_status = child->Wait();
  if (wait_status != 0) {
    return absl::InternalError(absl::StrCat(absl::StrJoin(command, " "), " ", DescribeWaitStatus(wait_status)));
  }
  const absl::Status written = WriteFileAtomically(text_path, {kept});
  if (written.ok()) return written;
  return absl::DataLossError(absl::StrCat(text_path, " is not written: ", written.message()));
}

absl::Status PlayFinalTable(const std::string& worker_program, const EvaluationSettings& settings,
                            const std::string& folder, Console* console, const std::function<bool()>& stop_requested) {
  console->Line(absl::StrCat("final evaluation of the policy as training left it, ", settings.final_episodes(),
                             " episodes each:"));
  return RunToConsole(EvaluateCommand(worker_program, settings, absl::StrCat(folder, "/actors/final.safetensors"),
                                      absl::StrCat(folder, "/evaluation.json")),
                      absl::StrCat(folder, "/evaluation.txt"), console, stop_requested);
}

}  // namespace troupe
