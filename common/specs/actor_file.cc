#include "common/specs/actor_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_loader.h"
#include "common/files/metadata.h"
#include "common/files/safetensors.h"
#include "common/specs/actor_file_bytes.h"
#include "common/specs/saved_policies.h"

namespace troupe {

absl::StatusOr<ActorFile> DecodeActorFile(SafetensorsFile file) {
  RETURN_IF_ERROR(CheckIsActorFile(file.metadata));
  ActorFile actors;
  ASSIGN_OR_RETURN(const std::string text, FindMetadata(file.metadata, "experiment"));
  absl::StatusOr<Experiment> experiment = ParseExperiment(text, "metadata \"experiment\"", {});
  if (!experiment.ok() && file.metadata.count(kHeaderChecksum) > 0) {
    return absl::UnimplementedError(
        absl::StrCat("written by another version of Troupe, this one does not know ", experiment.status().message()));
  }
  RETURN_IF_ERROR(experiment.status());
  actors.experiment = *std::move(experiment);
  ASSIGN_OR_RETURN(actors.env_steps, FindMetadataNumber(file.metadata, "env_steps"));
  ASSIGN_OR_RETURN(actors.best, ReadBestEvaluation(file.metadata));
  ASSIGN_OR_RETURN(SavedPolicies saved, TakePolicies(std::move(file)));
  actors.policies = std::move(saved.policies);
  actors.groups = std::move(saved.groups);
  actors.weights = std::move(saved.weights);
  return actors;
}

absl::Status WriteActorFile(const std::string& path, const ActorFile& file) {
  SafetensorsFile safetensors;
  safetensors.metadata = {{"experiment", FormatExperiment(file.experiment)},
                          {"env_steps", absl::StrCat(file.env_steps)}};
  const absl::Status fits = AddPolicies({file.policies, file.groups, file.weights}, &safetensors);
  if (!fits.ok()) return absl::InternalError(absl::StrCat(path, ": ", fits.message()));
  if (file.best.has_value()) AddBestEvaluation(*file.best, &safetensors.metadata);
  return WriteSafetensors(path, safetensors);
}

absl::StatusOr<ActorFile> ReadActorFile(const std::string& path) {
  ASSIGN_OR_RETURN(SafetensorsFile file, ReadSafetensors(path));
  absl::StatusOr<ActorFile> actors = DecodeActorFile(std::move(file));
  if (!actors.ok()) return absl::Status(actors.status().code(), absl::StrCat(path, ": ", actors.status().message()));
  return actors;
}

}  // namespace troupe
