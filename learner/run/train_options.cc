// What the train command is given, checked before anything is written or started.
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_loader.h"
#include "common/specs/algorithm_card.h"
#include "learner/run/train_command.h"

namespace troupe {

std::string RunFolderOf(const TrainOptions& options, const Experiment& experiment) {
  return options.run_folder.empty() ? "runs/" + experiment.name() : options.run_folder;
}

absl::StatusOr<Experiment> ReadTrainExperiment(const TrainOptions& options) {
  if (options.experiment_path.empty()) {
    return absl::InvalidArgumentError(
        "--experiment=FILE is needed, for example deploy/experiments/grid_world.textproto");
  }
  if (options.local_workers < 0 || options.local_workers > 1024) {
    return absl::InvalidArgumentError(absl::StrCat("--local_workers=", options.local_workers, ": expected 0 to 1024"));
  }
  for (const auto& [flag, workers] :
       {std::pair("expected_workers", options.expected_workers), std::pair("max_workers", options.max_workers)}) {
    if (workers >= 0 && workers <= TrainOptions::kMostWorkers) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, "=", workers, ": expected 0 to ", TrainOptions::kMostWorkers));
  }
  RETURN_IF_ERROR(CheckServerSecurity(options.security, options.listen_address));
  ASSIGN_OR_RETURN(Experiment experiment, LoadExperiment(options.experiment_path, options.overrides));
  RETURN_IF_ERROR(CheckAlgorithm(experiment));
  if (options.ranks.has_value()) {
    RETURN_IF_ERROR(
        CheckRanks(*options.ranks, static_cast<int>(experiment.collection().num_shards()), options.insecure_ranks));
  }
  return experiment;
}

}  // namespace troupe
