#include "learner/checkpoint/checkpoint_store.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"
#include "common/files/atomic_file.h"
#include "common/threads/sync_point.h"

namespace troupe {
namespace {

constexpr size_t kNumberWidth = 12;
constexpr char kEnding[] = ".safetensors";
constexpr char kDamaged[] = ".damaged";

// FAILED_PRECONDITION: of another run.
absl::StatusOr<Checkpoint> ReadOwn(const std::string& path, const std::string& run_id) {
  absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(path);
  if (checkpoint.ok() && checkpoint->run_id != run_id) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": belongs to run ", checkpoint->run_id, ", this is run ", run_id));
  }
  return checkpoint;
}

bool MayBePassedOver(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status);
}

}  // namespace

std::string CheckpointStore::PathOf(uint64_t update) const {
  return absl::StrFormat("%s/%0*d%s", folder_, kNumberWidth, update, kEnding);
}

absl::StatusOr<std::vector<std::pair<uint64_t, std::string>>> CheckpointStore::List() const {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder_));
  std::vector<std::pair<uint64_t, std::string>> found;
  for (const std::string& name : names) {
    if (!absl::EndsWith(name, kEnding)) continue;
    const std::string stem = name.substr(0, name.size() - (sizeof(kEnding) - 1));
    uint64_t update = 0;
    if (stem.size() >= kNumberWidth && absl::SimpleAtoi(stem, &update)) {
      found.emplace_back(update, absl::StrCat(folder_, "/", name));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

absl::Status CheckpointStore::Write(const Checkpoint& checkpoint) {
  RETURN_IF_ERROR(WriteSafetensors(PathOf(checkpoint.counters.update), EncodeCheckpoint(checkpoint)));
  // The checkpoint is safe; old ones that cannot be removed now are tried again with the next.
  const SyncPoint point("checkpoint.prune");
  const auto numbered = List();
  for (int i = 0; numbered.ok() && i + keep_ < static_cast<int>(numbered->size()); ++i) {
    if ((*numbered)[i].first != checkpoint.counters.update) RemoveFile((*numbered)[i].second).IgnoreError();
  }
  return absl::OkStatus();
}

absl::Status CheckpointStore::WriteBest(const Checkpoint& checkpoint) {
  return WriteSafetensors(best_path(), EncodeCheckpoint(checkpoint));
}

absl::StatusOr<std::optional<Checkpoint>> CheckpointStore::LoadNewest(const std::string& run_id,
                                                                      std::vector<std::string>* passed_over) const {
  std::vector<std::string> candidates;
  ASSIGN_OR_RETURN(const auto numbered, List());
  for (auto entry = numbered.rbegin(); entry != numbered.rend(); ++entry) candidates.push_back(entry->second);
  ASSIGN_OR_RETURN(const bool has_best, FileExists(best_path()));
  if (has_best) candidates.push_back(best_path());

  std::vector<std::string> damaged;
  for (const std::string& path : candidates) {
    absl::StatusOr<Checkpoint> checkpoint = ReadOwn(path, run_id);
    if (checkpoint.ok()) {
      for (const std::string& bad : damaged) {
        const absl::Status renamed = RenameFile(bad, bad + kDamaged);
        passed_over->push_back(renamed.ok() ? absl::StrCat("set aside as ", bad, kDamaged)
                                            : std::string(renamed.message()));
      }
      return std::optional<Checkpoint>(*std::move(checkpoint));
    }
    if (!MayBePassedOver(checkpoint.status())) return checkpoint.status();
    if (absl::IsDataLoss(checkpoint.status())) damaged.push_back(path);
    passed_over->push_back(absl::StrCat("unusable checkpoint passed over: ", checkpoint.status().message()));
  }
  if (!candidates.empty()) {
    return absl::DataLossError(
        absl::StrCat("none of the ", candidates.size(), " checkpoints in ", folder_, " can be used"));
  }
  // Nothing but what was set aside: a run that lost its checkpoints is none that has not begun.
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder_));
  for (const std::string& name : names) {
    if (!absl::EndsWith(name, kDamaged)) continue;
    return absl::DataLossError(absl::StrCat("there is no checkpoint in ", folder_, " but damaged ones (", name, ")"));
  }
  return std::optional<Checkpoint>();
}

absl::StatusOr<std::optional<Checkpoint>> CheckpointStore::LoadBest(const std::string& run_id) const {
  ASSIGN_OR_RETURN(const bool has_best, FileExists(best_path()));
  if (!has_best) return std::optional<Checkpoint>();
  ASSIGN_OR_RETURN(Checkpoint best, ReadOwn(best_path(), run_id));
  return std::optional<Checkpoint>(std::move(best));
}

}  // namespace troupe
