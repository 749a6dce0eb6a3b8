#include "actor_worker/offline/episode_rows.h"

#include <cstring>
#include <utility>

namespace troupe {
namespace {

template <typename To, typename From>
void Append(To& to, const From& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// Takes `values` away.
template <typename Value>
HostTensor Tensor(std::string name, DataType type, std::vector<int64_t> shape, std::vector<Value>& values) {
  HostTensor tensor{.name = std::move(name), .data_type = type, .shape = std::move(shape)};
  tensor.bytes.resize(values.size() * sizeof(Value));
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  values = {};
  return tensor;
}

}  // namespace

EpisodeRows::EpisodeRows(const EnvironmentSpec& spec) : spec_(spec), groups_(spec.groups.size()) {}

int64_t EpisodeRows::BytesPerStep(const EnvironmentSpec& spec) {
  int64_t bytes = spec.state_extras_size * sizeof(float);
  for (const AgentGroupSpec& group : spec.groups) {
    const int64_t numbers = group.observation_size + 1 + (group.has_masks() ? group.num_choices() : group.action_size);
    bytes += group.num_agents() * (numbers * sizeof(float) + 1 + (group.has_masks() ? group.action_size : 0));
  }
  return bytes;
}

void EpisodeRows::Look(const EpisodeBuffers::Copy& copy, bool over) {
  for (size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    const GroupObservation& seen = copy.observation.groups[g];
    Append(group.observations, seen.observations);
    Append(group.masks, seen.action_mask);
    Append(group.alive, seen.alive);
    if (!began_) continue;
    Append(group.indices, copy.action.groups[g].discrete);
    Append(group.controls, copy.action.groups[g].continuous);
    Append(group.rewards, copy.outcome.rewards[g]);
  }
  Append(state_extras_, copy.observation.state_extras);
  ++rows_seen_;
  rows_done_ += began_;
  bytes_ += BytesPerStep(spec_);
  began_ = true;
  if (over) ended_terminated_ = copy.outcome.terminated;
}

void EpisodeRows::End(const EpisodeResult& result) {
  seeds_.push_back(static_cast<int64_t>(result.seed));
  lengths_.push_back(result.length);
  terminated_.push_back(ended_terminated_);
  Append(statistics_, result.statistics);
  began_ = false;
}

void EpisodeRows::TakeGroup(size_t g, std::vector<HostTensor>& tensors) {
  const AgentGroupSpec& spec = spec_.groups[g];
  Group& group = groups_[g];
  const int64_t agents = spec.num_agents();
  tensors.push_back(Tensor("observations/" + spec.name, DataType::kFloat32, {rows_seen_, agents, spec.observation_size},
                           group.observations));
  tensors.push_back(Tensor("alive/" + spec.name, DataType::kUint8, {rows_seen_, agents}, group.alive));
  if (spec.has_masks()) {
    tensors.push_back(
        Tensor("action_masks/" + spec.name, DataType::kUint8, {rows_seen_, agents, spec.action_size}, group.masks));
    tensors.push_back(
        Tensor("actions/" + spec.name, DataType::kInt32, {rows_done_, agents, spec.num_choices()}, group.indices));
  } else {
    tensors.push_back(
        Tensor("actions/" + spec.name, DataType::kFloat32, {rows_done_, agents, spec.action_size}, group.controls));
  }
  tensors.push_back(Tensor("rewards/" + spec.name, DataType::kFloat32, {rows_done_, agents}, group.rewards));
}

std::vector<HostTensor> EpisodeRows::Take() {
  const int64_t count = episodes();
  std::vector<HostTensor> tensors;
  tensors.push_back(Tensor("seeds", DataType::kInt64, {count}, seeds_));
  tensors.push_back(Tensor("lengths", DataType::kInt64, {count}, lengths_));
  tensors.push_back(Tensor("terminated", DataType::kUint8, {count}, terminated_));
  // There are no tensors of nothing.
  if (spec_.num_statistics() > 0) {
    tensors.push_back(Tensor("statistics", DataType::kFloat64, {count, spec_.num_statistics()}, statistics_));
  }
  if (spec_.state_extras_size > 0) {
    tensors.push_back(Tensor("state_extras", DataType::kFloat32, {rows_seen_, spec_.state_extras_size}, state_extras_));
  }
  for (size_t g = 0; g < groups_.size(); ++g) TakeGroup(g, tensors);
  rows_seen_ = rows_done_ = bytes_ = 0;
  return tensors;
}

}  // namespace troupe
