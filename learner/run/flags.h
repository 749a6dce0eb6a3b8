// The learner's command line. All its flags stand in flags.cc; nothing else knows them. Those of commands of
// another program (learner/main.cc) are only in the help here.
#ifndef TROUPE_LEARNER_RUN_FLAGS_H_
#define TROUPE_LEARNER_RUN_FLAGS_H_

#include <string>

#include "absl/status/statusor.h"
#include "learner/export/export_actors.h"
#include "learner/run/train_command.h"

namespace troupe {

enum class LearnerCommand { kTrain, kExport, kPlan };

struct LearnerCommandLine {
  LearnerCommand command = LearnerCommand::kTrain;
  TrainOptions train;
  // export
  std::string run_folder;
  std::string checkpoint;
  ActorFormat format = ActorFormat::kSafetensors;
  std::string output;
  // plan, of `train`
  double trial_seconds = 0;
};

// Call once. Prints help and ends the process with 0 for --help. INVALID_ARGUMENT naming the flag or word that makes no
// sense.
absl::StatusOr<LearnerCommandLine> ParseLearnerCommandLine(int argc, char** argv);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_FLAGS_H_
