#include "learner/replay/replay_record.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

// What a batch is besides its tensors.
struct Head {
  int64_t rollout_length = 0, columns = 0, groups = 0;
};

template <typename T>
void Append(const T& value, std::string* to) {
  to->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename T>
void AppendAll(const std::vector<T>& values, std::string* to) {
  Append(static_cast<uint64_t>(values.size()), to);
  to->append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  template <typename T>
  void Read(T* value) {
    ok_ = ok_ && left_.size() >= sizeof(T);
    if (!ok_) return;
    std::memcpy(value, left_.data(), sizeof(T));
    left_.remove_prefix(sizeof(T));
  }

  template <typename T>
  void ReadAll(std::vector<T>* values) {
    uint64_t count = 0;
    Read(&count);
    ok_ = ok_ && count <= left_.size() / sizeof(T);
    if (!ok_) return;
    values->resize(count);
    if (count > 0) std::memcpy(values->data(), left_.data(), count * sizeof(T));
    left_.remove_prefix(count * sizeof(T));
  }

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && left_.empty(); }
  size_t left() const { return left_.size(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace

std::string EncodeReplayBatch(const TrainingBatch& batch) {
  std::string bytes;
  const auto append = [&](const TrajectoryField&, const auto& values) { AppendAll(values, &bytes); };
  Append(Head{batch.rollout_length, batch.columns, static_cast<int64_t>(batch.groups.size())}, &bytes);
  ForEachField(append, batch);
  for (const GroupBatch& group : batch.groups) ForEachField(append, group);
  AppendAll(batch.policy_versions, &bytes);
  AppendAll(batch.streams, &bytes);
  return bytes;
}

absl::StatusOr<TrainingBatch> DecodeReplayBatch(std::string_view bytes) {
  Reader reader(bytes);
  TrainingBatch batch;
  Head head;
  reader.Read(&head);
  const auto is_size = [](int64_t number) { return number >= 0 && number <= INT32_MAX; };
  if (!reader.ok() || !is_size(head.rollout_length) || !is_size(head.columns) || !is_size(head.groups) ||
      static_cast<size_t>(head.groups) > reader.left() / sizeof(uint64_t)) {
    return absl::DataLossError("a batch of the replay has no sizes of its own");
  }
  batch.rollout_length = static_cast<int>(head.rollout_length);
  batch.columns = static_cast<int>(head.columns);
  batch.groups.resize(head.groups);
  const auto read = [&](const TrajectoryField&, auto& values) { reader.ReadAll(&values); };
  ForEachField(read, batch);
  for (GroupBatch& group : batch.groups) ForEachField(read, group);
  reader.ReadAll(&batch.policy_versions);
  reader.ReadAll(&batch.streams);
  if (!reader.at_end()) {
    return absl::DataLossError(
        absl::StrCat("a batch of the replay of ", bytes.size(), " bytes is cut off or too long"));
  }
  return batch;
}

}  // namespace troupe
