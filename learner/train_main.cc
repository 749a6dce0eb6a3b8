// learner_train, which `learner` becomes for `train` (default), `export` and `inspect`. See learner/run/flags.cc for the command
// line and learner/run/train_command.cc for how a run is put together.
#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/threads/shutdown.h"
#include "learner/export/export_actors.h"
#include "learner/export/inspect.h"
#include "learner/run/flags.h"
#include "learner/run/train_command.h"

namespace {

int Fail(const absl::Status& status, int exit_status) {
  std::fprintf(stderr, "learner: %s\n", std::string(status.message()).c_str());
  return exit_status;
}

int Print(const absl::StatusOr<std::string>& text) {
  if (!text.ok()) return Fail(text.status(), 1);
  std::printf("%s\n", text->c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // Debian's Abseil looks for deadlocks at every lock, which costs the ingest several percent; the tests keep it on.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  troupe::ShutdownSignal shutdown;
  const absl::StatusOr<troupe::LearnerCommandLine> line = troupe::ParseLearnerCommandLine(argc, argv);
  if (!line.ok()) {
    Fail(line.status(), 2);
    std::fprintf(stderr, "learner --help tells what there is\n");
    return 2;
  }
  switch (line->command) {
    case troupe::LearnerCommand::kExport:
      return Print(troupe::ExportActors(line->run_folder, line->checkpoint, line->output));
    case troupe::LearnerCommand::kInspect:
      return Print(troupe::DescribeFile(line->file));
    case troupe::LearnerCommand::kTrain:
      break;
  }
  const absl::StatusOr<troupe::Experiment> experiment = troupe::ReadTrainExperiment(line->train);
  if (!experiment.ok()) return Fail(experiment.status(), 2);
  const absl::Status status = troupe::RunTraining(line->train, *experiment, &shutdown);
  if (status.ok()) return 0;
  return Fail(status, absl::IsResourceExhausted(status) ? 2 : 1);
}
