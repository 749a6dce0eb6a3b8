#include "learner/run/run_results.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"
#include "common/files/atomic_file.h"
#include "common/specs/actor_file.h"
#include "learner/checkpoint/checkpoint_store.h"
#include "learner/checkpoint/evaluation_basis.h"
#include "nlohmann/json.hpp"

namespace troupe {
namespace {

constexpr char kFinalActors[] = "actors/final.safetensors";
constexpr char kBestActors[] = "actors/best.safetensors";
constexpr char kBestCheckpoint[] = "checkpoints/best.safetensors";
constexpr char kTable[] = "evaluation.txt";
constexpr char kTableJson[] = "evaluation.json";

// What a final file is of.
struct Origin {
  uint64_t policy_version = 0;
  uint64_t env_steps = 0;
};

bool IsOf(const std::optional<Origin>& origin, const RunCounters& counters) {
  return origin.has_value() && origin->policy_version == counters.update && origin->env_steps == counters.env_steps;
}

std::optional<Origin> OriginOfActors(const RunFolder& folder) {
  const absl::StatusOr<ActorFile> file = ReadActorFile(folder.File(kFinalActors));
  if (!file.ok()) return std::nullopt;
  return Origin{file->weights.policy_version, file->env_steps};
}

// Of the first player that was trained.
std::optional<Origin> OriginOfTable(const RunFolder& folder) {
  const absl::StatusOr<std::string> text = ReadWholeFile(folder.File(kTableJson));
  if (!text.ok()) return std::nullopt;
  const auto table = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!table.is_object() || !table.contains("players") || !table["players"].is_array()) return std::nullopt;
  for (const auto& player : table["players"]) {
    if (!player.is_object() || !player.contains("policy_version") || !player.contains("env_steps")) continue;
    if (!player["policy_version"].is_number_unsigned() || !player["env_steps"].is_number_unsigned()) continue;
    return Origin{player["policy_version"].get<uint64_t>(), player["env_steps"].get<uint64_t>()};
  }
  return std::nullopt;
}

absl::Status RenameIfThere(const RunFolder& folder, const std::string& from, const std::string& to,
                           std::vector<std::string>* lines) {
  ASSIGN_OR_RETURN(const bool exists, FileExists(folder.File(from)));
  if (!exists) return absl::OkStatus();
  RETURN_IF_ERROR(RenameFile(folder.File(from), folder.File(to)));
  lines->push_back(absl::StrCat(from, " is of an earlier policy: renamed to ", to));
  return absl::OkStatus();
}

// The best checkpoint, or nothing when it is damaged: then it is set aside.
absl::StatusOr<std::optional<Checkpoint>> LoadBest(const RunFolder& folder, const std::string& run_id,
                                                   std::vector<std::string>* lines) {
  absl::StatusOr<std::optional<Checkpoint>> best = CheckpointStore(folder.File("checkpoints"), 1).LoadBest(run_id);
  if (best.ok() || !absl::IsDataLoss(best.status())) return best;
  const std::string path = folder.File(kBestCheckpoint);
  RETURN_IF_ERROR(RenameFile(path, path + ".damaged"));
  lines->push_back(absl::StrCat("warning: ", best.status().message(), " (set aside as ", path, ".damaged)"));
  return std::optional<Checkpoint>();
}

std::string Describe(const BestEvaluation& best) {
  return absl::StrFormat("%.4g of update %d, %s", best.value, best.policy_version, DescribeBasis(best.basis));
}

}  // namespace

absl::Status TakeUpBest(const RunFolder& folder, Checkpoint* start, std::vector<std::string>* lines) {
  std::optional<BestEvaluation>& best = start->counters.best;
  const std::optional<BestEvaluation> told = std::exchange(best, std::nullopt);
  ASSIGN_OR_RETURN(std::optional<Checkpoint> kept, LoadBest(folder, start->run_id, lines));
  const Experiment* made_under = &start->experiment;
  if (kept.has_value()) {
    best = kept->counters.best;
    made_under = &kept->experiment;
  } else if (absl::StatusOr<ActorFile> actors = ReadActorFile(folder.File(kBestActors)); actors.ok()) {
    best = actors->best;
  }
  if (!best.has_value()) {
    if (told.has_value()) {
      lines->push_back(absl::StrCat("warning: the best policy so far (", Describe(*told),
                                    ") is in no file; the next evaluation is the best again"));
    }
    return absl::OkStatus();
  }
  // Earlier versions did not write what the value is of; the experiment it was made under tells.
  if (best->basis == EvaluationBasis()) best->basis = BasisOf(*made_under, start->environment);
  if (kept.has_value()) {
    kept->counters.best = best;
    RETURN_IF_ERROR(KeepActors(folder, "best", *kept));
  }
  const EvaluationBasis now = BasisOf(start->experiment, start->environment);
  if (best->basis == now || start->experiment.evaluation().interval_env_steps() == 0) return absl::OkStatus();
  lines->push_back(absl::StrCat("the best policy so far has ", Describe(*best), "; evaluations are now of ",
                                DescribeBasis(now), ": the two are not compared, the next one is the best again"));
  const std::string name = absl::StrCat("best-of-update-", best->policy_version, ".safetensors");
  RETURN_IF_ERROR(RenameIfThere(folder, kBestCheckpoint, "checkpoints/" + name, lines));
  RETURN_IF_ERROR(RenameIfThere(folder, kBestActors, "actors/" + name, lines));
  best.reset();
  return absl::OkStatus();
}

absl::Status KeepActors(const RunFolder& folder, const std::string& name, const Checkpoint& checkpoint) {
  const std::string path = folder.File(absl::StrCat("actors/", name, ".safetensors"));
  ASSIGN_OR_RETURN(const ActorFile wanted, MakeActorFile(checkpoint));
  const absl::StatusOr<ActorFile> there = ReadActorFile(path);
  if (there.ok() && there->weights.policy_version == wanted.weights.policy_version &&
      there->env_steps == wanted.env_steps && there->best == wanted.best) {
    return absl::OkStatus();
  }
  return WriteActorFile(path, wanted);
}

absl::Status KeepFinalActors(const RunFolder& folder, const Checkpoint& checkpoint) {
  const absl::Status status = KeepActors(folder, "final", checkpoint);
  if (status.ok()) return status;
  return absl::DataLossError(absl::StrCat(folder.File(kFinalActors), " of update ", checkpoint.counters.update,
                                          " is not written, what is there is older: ", status.message()));
}

bool HasFinalTable(const RunFolder& folder, const RunCounters& counters) {
  return FileExists(folder.File(kTable)).value_or(false) && IsOf(OriginOfTable(folder), counters);
}

absl::Status SetFinalResultsAside(const RunFolder& folder, const RunCounters* final_counters,
                                  std::vector<std::string>* lines) {
  const auto suffix = [](const std::optional<Origin>& origin) {
    return origin.has_value() ? absl::StrCat("-after-", origin->env_steps, "-steps")
                              : std::string("-of-unknown-policy");
  };
  if (const auto origin = OriginOfTable(folder); final_counters == nullptr || !IsOf(origin, *final_counters)) {
    RETURN_IF_ERROR(RenameIfThere(folder, kTable, absl::StrCat("evaluation", suffix(origin), ".txt"), lines));
    RETURN_IF_ERROR(RenameIfThere(folder, kTableJson, absl::StrCat("evaluation", suffix(origin), ".json"), lines));
  }
  if (const auto origin = OriginOfActors(folder); final_counters == nullptr || !IsOf(origin, *final_counters)) {
    return RenameIfThere(folder, kFinalActors, absl::StrCat("actors/final", suffix(origin), ".safetensors"), lines);
  }
  return absl::OkStatus();
}

}  // namespace troupe
