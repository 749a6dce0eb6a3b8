#include "learner/checkpoint/checkpoint_store.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace troupe {
namespace {

constexpr size_t kNumberWidth = 12;

absl::StatusOr<Checkpoint> ReadOwn(const std::string& path, const std::string& run_id) {
  absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(path);
  if (checkpoint.ok() && checkpoint->run_id != run_id) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": belongs to run ", checkpoint->run_id, ", this is run ", run_id));
  }
  return checkpoint;
}

bool IsDamage(const absl::Status& status) { return absl::IsDataLoss(status) || absl::IsInvalidArgument(status); }

}  // namespace

std::string CheckpointStore::PathOf(uint64_t update) const {
  return absl::StrFormat("%s/%0*d.safetensors", folder_, kNumberWidth, update);
}

std::vector<std::pair<uint64_t, std::string>> CheckpointStore::List() const {
  std::vector<std::pair<uint64_t, std::string>> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    const std::filesystem::path& path = entry.path();
    uint64_t update = 0;
    if (path.extension() != ".safetensors" || path.stem().string().size() < kNumberWidth) continue;
    if (!absl::SimpleAtoi(path.stem().string(), &update)) continue;
    found.emplace_back(update, path.string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

absl::Status CheckpointStore::Write(const Checkpoint& checkpoint) {
  const absl::Status written = WriteSafetensors(PathOf(checkpoint.counters.update), EncodeCheckpoint(checkpoint));
  if (!written.ok()) return written;
  const auto numbered = List();
  for (int i = 0; i + keep_ < static_cast<int>(numbered.size()); ++i) {
    std::error_code ignored;
    if (numbered[i].first != checkpoint.counters.update) std::filesystem::remove(numbered[i].second, ignored);
  }
  return absl::OkStatus();
}

absl::Status CheckpointStore::WriteBest(const Checkpoint& checkpoint) {
  return WriteSafetensors(best_path(), EncodeCheckpoint(checkpoint));
}

absl::StatusOr<std::optional<Checkpoint>> CheckpointStore::LoadNewest(const std::string& run_id,
                                                                      std::vector<std::string>* refused) {
  std::vector<std::string> candidates;
  const auto numbered = List();
  for (auto entry = numbered.rbegin(); entry != numbered.rend(); ++entry) candidates.push_back(entry->second);
  if (std::filesystem::exists(best_path())) candidates.push_back(best_path());
  if (candidates.empty()) return std::optional<Checkpoint>();

  for (const std::string& path : candidates) {
    absl::StatusOr<Checkpoint> checkpoint = ReadOwn(path, run_id);
    if (checkpoint.ok()) return std::optional<Checkpoint>(*std::move(checkpoint));
    std::string line = absl::StrCat("unusable checkpoint passed over: ", checkpoint.status().message());
    if (IsDamage(checkpoint.status())) {
      std::error_code error;
      std::filesystem::rename(path, path + ".damaged", error);
      if (!error) absl::StrAppend(&line, " (set aside as ", path, ".damaged)");
    }
    refused->push_back(std::move(line));
  }
  return absl::DataLossError(absl::StrCat("none of the ", candidates.size(), " checkpoints in ", folder_,
                                          " can be used; move the folder away to begin anew"));
}

}  // namespace troupe
