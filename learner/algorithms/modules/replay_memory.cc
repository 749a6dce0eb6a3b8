#include "learner/algorithms/modules/replay_memory.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "learner/algorithms/modules/batch_check.h"

namespace troupe {
namespace {

constexpr char kPrefix[] = "replay/";
constexpr char kBatches[] = "replay/batches";  // first, end, checksum of the newest
constexpr char kPriorities[] = "replay/priorities";
constexpr char kLargest[] = "replay/largest_priority";

template <typename T>
HostTensor MakeTensor(const char* name, DataType type, const std::vector<T>& values) {
  HostTensor tensor{.name = name, .data_type = type, .shape = {static_cast<int64_t>(values.size())}, .bytes = {}};
  tensor.bytes.resize(values.size() * sizeof(T));
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

// The values of a tensor of that type and number; null where `state` has none such.
template <typename T>
std::optional<std::vector<T>> Find(absl::Span<const HostTensor> state, const char* name, size_t count) {
  for (const HostTensor& tensor : state) {
    if (tensor.name != name || tensor.bytes.size() != count * sizeof(T)) continue;
    std::vector<T> values(count);
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
  }
  return std::nullopt;
}

}  // namespace

ReplayMemory::ReplayMemory(ReplayMemorySettings settings, Collective* ranks)
    : settings_(std::move(settings)), ranks_(*ranks) {
  store_.emplace(settings_.most_bytes);
  if (settings_.folder.empty()) return;
  kept_.reset(new Kept{.file = ReplayFile(settings_.folder, MostDiskBytes(settings_))});
}

ReplayMemory::~ReplayMemory() = default;

int64_t ReplayMemory::MostDiskBytes(const ReplayMemorySettings& settings) {
  // A segment is removed once nothing of it is needed; another one is being written.
  const int64_t needed =
      settings.most_bytes + static_cast<int64_t>(settings.remembered_batches + 1) * settings.batch_bytes;
  return needed + needed / 4;
}

void ReplayMemory::MakePriorities(const TrainingBatch& batch, double least_bytes) {
  if (!settings_.is_prioritised || priorities_.has_value()) return;
  PrioritySettings settings = settings_.priorities;
  settings.every = settings_.every;
  const auto most = std::max<int64_t>(1, settings_.most_bytes / static_cast<int64_t>(least_bytes));
  priorities_.emplace(settings, most, batch.rollout_length, batch.columns);
}

absl::StatusOr<bool> ReplayMemory::Add(const TrainingBatch& batch) {
  std::array<double, 3> sums = {static_cast<double>(ReplayStore::Bytes(batch)),
                                static_cast<double>(ReplayStore::LeastBytes(batch)), IsFinite(batch) ? 0.0 : 1.0};
  ranks_.Sum(absl::MakeSpan(sums));
  RETURN_IF_ERROR(ranks_.status());
  if (sums[2] != 0) return false;
  RETURN_IF_ERROR(store_->Add(batch, static_cast<int64_t>(sums[0])));
  MakePriorities(batch, sums[1]);
  if (priorities_.has_value()) priorities_->Add(store_->end() - 1, store_->first(), &ranks_);
  if (kept_ != nullptr && !kept_->has_failed) {
    if (const absl::Status status = Write(batch); !status.ok()) GiveUp(status);
  }
  return true;
}

void ReplayMemory::GiveUp(const absl::Status& why) const {
  kept_->has_failed = true;
  settings_.warn(absl::StrCat("the replay is no longer kept on disk (q_learning.keep_replay): ", why.message()));
  // What is there already would only take up room.
  kept_->file.Clear().IgnoreError();
}

absl::Status ReplayMemory::Write(const TrainingBatch& batch) {
  if (!std::exchange(kept_->has_begun, true)) RETURN_IF_ERROR(kept_->file.Clear());
  RETURN_IF_ERROR(kept_->file.Append(store_->end() - 1, batch));
  kept_->firsts.push_back(store_->first());
  if (kept_->firsts.size() > settings_.remembered_batches + 1) kept_->firsts.pop_front();
  return kept_->file.Forget(kept_->firsts.front());
}

ReplayMemory::Drawn ReplayMemory::Draw(uint64_t key, int64_t count, double importance_exponent,
                                       const ReplayShare& share) const {
  if (!priorities_.has_value()) return {store_->Draw(key, count, share, settings_.every), {}};
  ReplayPriorities::Draws draws = priorities_->Draw(key, count, importance_exponent, share, &ranks_);
  return {std::move(draws.places), std::move(draws.weights)};
}

void ReplayMemory::SetError(const ReplayPlace& place, double error) {
  if (priorities_.has_value()) priorities_->Set(place, error);
}

bool ReplayMemory::IsOwn(const HostTensor& tensor) { return absl::StartsWith(tensor.name, kPrefix); }

void ReplayMemory::Save(std::vector<HostTensor>* state) const {
  if (kept_ == nullptr || kept_->has_failed || store_->end() == 0) return;
  if (const absl::Status status = kept_->file.Sync(); !status.ok()) return GiveUp(status);
  state->push_back(MakeTensor<int64_t>(
      kBatches, DataType::kInt64,
      {static_cast<int64_t>(store_->first()), static_cast<int64_t>(store_->end()), kept_->file.range().checksum}));
  if (!priorities_.has_value()) return;
  std::vector<float> all;
  for (uint64_t batch = store_->first(); batch < store_->end(); ++batch) {
    const std::vector<float> own = priorities_->Save(batch);
    all.insert(all.end(), own.begin(), own.end());
  }
  state->push_back(MakeTensor(kPriorities, DataType::kFloat32, all));
  state->push_back(MakeTensor<double>(kLargest, DataType::kFloat64, {priorities_->largest()}));
}

bool ReplayMemory::Load(absl::Span<const HostTensor> state, const BatchCheck& check) {
  const auto range = Find<int64_t>(state, kBatches, 3);
  if (kept_ == nullptr || !range.has_value()) return false;
  if (store_->end() == static_cast<uint64_t>((*range)[1])) return true;  // as it is
  const auto priorities =
      std::ranges::find_if(state, [](const HostTensor& tensor) { return tensor.name == kPriorities; });
  const absl::Status status = Restore(
      {static_cast<uint64_t>((*range)[0]), static_cast<uint64_t>((*range)[1]), static_cast<uint32_t>((*range)[2])},
      priorities == state.end() ? nullptr : &*priorities, check);
  if (status.ok()) {
    if (const auto largest = Find<double>(state, kLargest, 1); largest.has_value() && priorities_.has_value()) {
      priorities_->set_largest(largest->front());
    }
    settings_.tell(
        absl::StrCat("the replay is as it was: ", store_->end() - store_->first(), " batches of ", settings_.folder));
    return true;
  }
  store_.emplace(settings_.most_bytes);
  priorities_.reset();
  kept_->has_begun = false;
  settings_.warn(absl::StrCat("the replay that was kept cannot be had again: ", status.message()));
  return false;
}

absl::Status ReplayMemory::Restore(const ReplayFile::Range& range, const HostTensor* priorities,
                                   const BatchCheck& check) {
  store_.emplace(settings_.most_bytes);
  store_->BeginAt(range.first);
  priorities_.reset();
  const size_t batches = range.end - range.first;
  const size_t of_batch = priorities == nullptr ? 0 : priorities->num_elements() / std::max<size_t>(1, batches);
  RETURN_IF_ERROR(kept_->file.Restore(range, [&](TrainingBatch batch) {
    RETURN_IF_ERROR(check(batch));
    RETURN_IF_ERROR(store_->Add(batch, ReplayStore::Bytes(batch)));
    MakePriorities(batch, static_cast<double>(ReplayStore::LeastBytes(batch)));
    if (!priorities_.has_value()) return absl::OkStatus();
    const uint64_t number = store_->end() - 1;
    priorities_->Add(number, store_->first(), &ranks_);
    if (of_batch == priorities_->places_of_batch()) {
      priorities_->Load(number, {priorities->floats() + (number - range.first) * of_batch, of_batch});
    }
    return absl::OkStatus();
  }));
  kept_->has_begun = true;
  kept_->firsts.assign(1, range.first);
  return absl::OkStatus();
}

}  // namespace troupe
