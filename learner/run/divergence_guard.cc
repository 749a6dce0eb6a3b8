#include "learner/run/divergence_guard.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/finite.h"
#include "common/base/status_macros.h"
#include "common/files/atomic_file.h"
#include "common/files/safetensors.h"
#include "common/wire/chunk_layout.h"
#include "learner/batch/batch_file.h"

namespace troupe {
namespace {

constexpr char kEnding[] = ".safetensors";

ChunkShape ShapeOfRun(const Checkpoint& start) {
  const auto policies = MakePolicySpecs(start.experiment, start.environment);
  return policies.ok() ? ChunkShapeOf(start.experiment, *policies) : ChunkShape();
}

double SkippedMinibatches(const UpdateStatistics& statistics) {
  for (const auto& [name, value] : statistics.values) {
    if (name == "skipped_minibatches") return value;
  }
  return 0;
}

bool IsFinite(const HostTensor& tensor) {
  return tensor.data_type != DataType::kFloat32 || FiniteBytes(tensor.bytes.data(), tensor.num_elements());
}

}  // namespace

DivergenceGuard::DivergenceGuard(const Checkpoint& start, Algorithm* algorithm, std::string folder)
    : settings_(start.experiment.divergence()),
      environment_(start.environment),
      shape_(ShapeOfRun(start)),
      run_id_(start.run_id),
      folder_(std::move(folder)),
      algorithm_(*algorithm),
      state_(start.divergence) {
  if (state_.good != nullptr) return;
  state_.good_update = start.counters.update;
  state_.good = std::make_shared<const std::vector<HostTensor>>(algorithm_.SaveState());
}

std::optional<DivergenceGuard::Verdict> DivergenceGuard::Judge(const UpdateStatistics& statistics, uint64_t update) {
  const double skipped = SkippedMinibatches(statistics);
  if (skipped == 0) {
    state_.in_a_row = 0;
    return std::nullopt;
  }
  Verdict verdict;
  verdict.record.skipped_minibatches = skipped;
  verdict.record.in_a_row = ++state_.in_a_row;
  if (settings_.rollback_after() > 0 && state_.in_a_row >= settings_.rollback_after()) {
    const std::string so_many = absl::StrCat(state_.in_a_row, " updates in a row, the last number ", update,
                                             ", left out minibatches because a loss or gradient was not finite");
    if (state_.rollbacks >= settings_.max_rollbacks()) {
      verdict.status = absl::InternalError(absl::StrCat(so_many, ", and the run went back ", state_.rollbacks,
                                                        state_.rollbacks == 1 ? " time" : " times",
                                                        " already (divergence.max_rollbacks)"));
    } else if (verdict.status = algorithm_.GoBackTo(*state_.good); verdict.status.ok()) {
      ++state_.rollbacks;
      state_.learning_rate_scale *= settings_.learning_rate_factor();
      state_.in_a_row = 0;
      verdict.record.back_to_update = state_.good_update;
    }
  }
  verdict.record.rollbacks = state_.rollbacks;
  verdict.record.learning_rate_scale = state_.learning_rate_scale;
  return verdict;
}

absl::StatusOr<std::string> DivergenceGuard::KeepBatch(const TrainingBatch& batch, uint64_t update, uint64_t env_steps,
                                                       const DivergenceRecord& record) const {
  const size_t bytes = BatchFileBytes(batch);
  if (folder_.empty() || settings_.kept_batches() == 0 || bytes > settings_.kept_bytes()) return std::string();
  RETURN_IF_ERROR(MakeFolder(folder_));
  RETURN_IF_ERROR(MakeRoom(bytes));
  const std::string name = absl::StrFormat("%012d%s", update, kEnding);
  RETURN_IF_ERROR(WriteSafetensors(absl::StrCat(folder_, "/", name),
                                   EncodeBatch(batch, environment_, shape_,
                                               {{"run_id", run_id_},
                                                {"update", absl::StrCat(update)},
                                                {"env_steps", absl::StrCat(env_steps)},
                                                {"in_a_row", absl::StrCat(record.in_a_row)},
                                                {"skipped_minibatches", absl::StrCat(record.skipped_minibatches)}})));
  return name;
}

absl::Status DivergenceGuard::MakeRoom(uint64_t bytes) const {
  ASSIGN_OR_RETURN(std::vector<std::string> names, ListFolder(folder_));
  std::erase_if(names, [](const std::string& name) { return !absl::EndsWith(name, kEnding); });
  std::sort(names.begin(), names.end());  // by update
  uint64_t kept = 0;
  std::vector<uint64_t> sizes;
  for (const std::string& name : names) {
    std::error_code gone;
    const auto size = std::filesystem::file_size(absl::StrCat(folder_, "/", name), gone);
    sizes.push_back(gone ? 0 : size);
    kept += sizes.back();
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (names.size() - i < settings_.kept_batches() && kept + bytes <= settings_.kept_bytes()) break;
    RETURN_IF_ERROR(RemoveFile(absl::StrCat(folder_, "/", names[i])));
    kept -= sizes[i];
  }
  return absl::OkStatus();
}

void DivergenceGuard::Offer(uint64_t update, std::shared_ptr<const std::vector<HostTensor>> state) {
  if (state_.in_a_row > 0 || !std::ranges::all_of(*state, IsFinite)) return;
  state_.good_update = update;
  state_.good = std::move(state);
}

DivergenceState DivergenceGuard::state(uint64_t update) const {
  DivergenceState state = state_;
  if (state.good_update == update) state.good = nullptr;
  return state;
}

}  // namespace troupe
