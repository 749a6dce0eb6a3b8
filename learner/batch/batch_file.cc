#include "learner/batch/batch_file.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace troupe {
namespace {

template <typename T>
constexpr DataType TypeOf() {
  if constexpr (std::is_same_v<T, float>) return DataType::kFloat32;
  if constexpr (std::is_same_v<T, int32_t>) return DataType::kInt32;
  if constexpr (std::is_same_v<T, uint8_t>) return DataType::kUint8;
  return DataType::kInt64;
}

template <typename T>
HostTensor MakeTensor(std::string name, std::vector<int64_t> shape, const std::vector<T>& values) {
  HostTensor tensor{.name = std::move(name), .data_type = TypeOf<T>(), .shape = std::move(shape), .bytes = {}};
  // A batch of another shape than the run's is just a row of numbers.
  if (tensor.num_elements() != static_cast<int64_t>(values.size())) {
    tensor.shape = {static_cast<int64_t>(values.size())};
  }
  tensor.bytes.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

template <typename Tensors>
void AddTensors(const std::string& prefix, const FieldSizes& sizes, const Tensors& tensors, SafetensorsFile* file) {
  ForEachField(
      [&](const TrajectoryField& field, const auto& values) {
        if (values.empty()) return;
        const std::vector<uint32_t> shape = ShapeOf(field, sizes);
        file->tensors.push_back(
            MakeTensor(absl::StrCat(prefix, field.name), std::vector<int64_t>(shape.begin(), shape.end()), values));
      },
      tensors);
}

}  // namespace

std::string LargestReward(const TrainingBatch& batch, const EnvironmentSpec& environment) {
  std::string found;
  float largest = -1;
  for (size_t g = 0; g < batch.groups.size() && g < environment.groups.size(); ++g) {
    const std::vector<float>& rewards = batch.groups[g].rewards;
    const AgentGroupSpec& group = environment.groups[g];
    for (size_t i = 0; i < rewards.size(); ++i) {
      const float size = std::isfinite(rewards[i]) ? std::fabs(rewards[i]) : std::numeric_limits<float>::infinity();
      if (size <= largest) continue;
      largest = size;
      const size_t row = i / group.agents.size(), column = row % batch.columns;
      found = absl::StrFormat("%g, agent %s, step %d, column %d", rewards[i], group.agents[i % group.agents.size()],
                              row / batch.columns, column);
      if (column >= batch.streams.size()) continue;
      absl::StrAppend(&found, " (shard ", batch.streams[column].shard, ", copy ", batch.streams[column].copy, ")");
    }
  }
  return found;
}

SafetensorsFile EncodeBatch(const TrainingBatch& batch, const EnvironmentSpec& environment, ChunkShape shape,
                            std::map<std::string, std::string> metadata) {
  shape.rollout_length = batch.rollout_length;
  shape.copies = batch.columns;
  const auto finals = static_cast<uint32_t>(batch.truncated_at.size() / 2);
  SafetensorsFile file{.metadata = std::move(metadata), .tensors = {}};
  file.metadata["format"] = kBatchFormat;
  file.metadata["environment_name"] = environment.name;
  if (std::string largest = LargestReward(batch, environment); !largest.empty()) {
    file.metadata["largest_reward"] = std::move(largest);
  }
  AddTensors("", JointSizes(environment, shape, finals), batch, &file);
  for (size_t g = 0; g < batch.groups.size() && g < environment.groups.size(); ++g) {
    AddTensors(environment.groups[g].name + "/", GroupSizes(environment, shape, g, finals), batch.groups[g], &file);
  }
  const std::vector<int64_t> versions(batch.policy_versions.begin(), batch.policy_versions.end());
  file.tensors.push_back(MakeTensor("policy_versions", {static_cast<int64_t>(versions.size())}, versions));
  std::vector<int64_t> streams;
  for (const ColumnStream& stream : batch.streams) {
    streams.insert(streams.end(), {stream.shard, stream.copy, stream.lease_epoch});
    streams.push_back(static_cast<int64_t>(stream.sequence));
  }
  file.tensors.push_back(MakeTensor("streams", {static_cast<int64_t>(batch.streams.size()), 4}, streams));
  return file;
}

size_t BatchFileBytes(const TrainingBatch& batch) {
  size_t bytes = 5 * sizeof(int64_t) * batch.columns;
  const auto add = [&bytes](const TrajectoryField&, const auto& values) { bytes += values.size() * sizeof(values[0]); };
  ForEachField(add, batch);
  for (const GroupBatch& group : batch.groups) ForEachField(add, group);
  return bytes;
}

}  // namespace troupe
