// learner_train, which `learner` becomes for `train` (default), `plan` and `export`. See learner/run/flags.cc for
// the command line and learner/run/train_command.cc for how a run is put together.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/base/shown_text.h"
#include "common/command_line/command.h"
#include "common/command_line/version.h"
#include "common/files/text_writer.h"
#include "common/threads/shutdown.h"
#include "learner/export/export_actors.h"
#include "learner/run/flags.h"
#include "learner/run/plan.h"
#include "learner/run/preflight.h"
#include "learner/run/train_command.h"
#include "learner/torchscript/export_torchscript.h"

namespace {

int Fail(const absl::Status& status, int exit_status) {
  // Nobody need read it for the process to end.
  troupe::TextWriter("last words", STDERR_FILENO).Write("learner: " + troupe::ShownLines(status.message()) + "\n");
  return exit_status;
}

int Plan(const troupe::LearnerCommandLine& line, troupe::ShutdownSignal& shutdown) {
  const absl::StatusOr<troupe::Experiment> experiment = troupe::ReadTrainExperiment(line.train);
  if (!experiment.ok()) return Fail(experiment.status(), 2);
  const auto stop_requested = [&shutdown] { return shutdown.requested(); };
  const absl::Status status = troupe::PlanRun(line.train, *experiment, line.trial_seconds, stop_requested);
  if (status.ok() || absl::IsCancelled(status)) return 0;
  return Fail(status, absl::IsResourceExhausted(status) || absl::IsInvalidArgument(status) ? 2 : 1);
}

int Print(const absl::StatusOr<std::string>& text) {
  if (!text.ok()) return Fail(text.status(), 1);
  std::printf("%s\n", troupe::ShownLines(*text).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // Debian's Abseil looks for deadlocks at every lock, which costs the ingest several percent; the tests keep it on.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (troupe::AsksForVersion(argc, argv)) {
    std::fputs(troupe::FormatVersion("learner", "LibTorch " TROUPE_LIBTORCH_VERSION).c_str(), stdout);
    return 0;
  }
  troupe::ShutdownSignal& shutdown = troupe::ProcessShutdown();
  absl::StatusOr<troupe::LearnerCommandLine> line = troupe::ParseLearnerCommandLine(argc, argv);
  if (!line.ok()) {
    Fail(line.status(), 2);
    std::fprintf(stderr, "learner --help tells what there is\n");
    return 2;
  }
  switch (line->command) {
    case troupe::LearnerCommand::kExport:
      return Print(troupe::ExportActors(line->run_folder, line->checkpoint, line->format, line->output,
                                        troupe::WriteTorchscriptActors));
    case troupe::LearnerCommand::kPlan:
      return Plan(*line, shutdown);
    case troupe::LearnerCommand::kTrain:
      break;
  }
  const absl::StatusOr<troupe::Experiment> experiment = troupe::ReadTrainExperiment(line->train);
  if (!experiment.ok()) return Fail(experiment.status(), 2);
  const absl::StatusOr<std::string> not_here =
      troupe::CheckBeforeTraining(line->train, *experiment, [&shutdown] { return shutdown.requested(); });
  if (absl::IsCancelled(not_here.status())) return 0;
  if (!not_here.ok()) return Fail(not_here.status(), absl::IsInvalidArgument(not_here.status()) ? 2 : 1);
  line->train.no_final_evaluation_here = *not_here;
  const absl::Status status = troupe::RunTraining(line->train, *experiment, &shutdown);
  if (status.ok()) return 0;
  return Fail(status, absl::IsResourceExhausted(status) ? 2 : 1);
}
