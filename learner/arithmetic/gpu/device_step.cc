#include "learner/arithmetic/gpu/device_step.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

// Places of a minibatch's scalars; the networks' denominators follow.
enum Scalar : int64_t { kActorLearningRate, kCriticLearningRate, kEntropyCoefficient, kDenominators };

// Floats that a network's sums take, so that each network's begin where wide accesses like it.
int64_t Padded(int64_t size) { return (size + 31) / 32 * 32; }

}  // namespace

DeviceStep::DeviceStep(const std::vector<DeviceNetwork::Spec>& networks, at::Device device, Collective* ranks,
                       Options options)
    : device_(device), ranks_(*ranks), options_(std::move(options)), totals_(device) {
  int64_t size = 0;
  for (const DeviceNetwork::Spec& spec : networks) size += Padded(spec.num_sums());
  sums_ = at::zeros({size}, at::TensorOptions().dtype(at::kFloat).device(device));
  int64_t offset = 0;
  for (const DeviceNetwork::Spec& spec : networks) {
    networks_.emplace_back(spec, sums_.narrow(0, offset, spec.num_sums()), options_.bfloat16);
    is_policy_.push_back(spec.is_policy);
    offset += Padded(spec.num_sums());
  }
}

at::Tensor DeviceStep::Infer(size_t network, const at::Tensor& x) {
  const at::NoGradGuard no_gradient;
  return networks_[network].Infer(x, options_.rows_per_part);
}

void DeviceStep::Load(size_t network, const DeviceRows& rows) {
  const at::NoGradGuard no_gradient;
  if (networks_[network].Load(rows)) shapes_.clear();
}

const UpdateTotals& DeviceStep::ClearTotals() {
  totals_.Clear();
  return totals_;
}

int64_t DeviceStep::num_scalars() const { return kDenominators + static_cast<int64_t>(networks_.size()); }

DeviceScalars DeviceStep::ScalarsOf(size_t network) const {
  return {scalars_.select(0, is_policy_[network] ? kActorLearningRate : kCriticLearningRate),
          scalars_.select(0, kEntropyCoefficient), scalars_.select(0, kDenominators + static_cast<int64_t>(network))};
}

void DeviceStep::Reserve(const std::vector<std::vector<int64_t>>& minibatches) {
  int64_t most = 0;
  for (const std::vector<int64_t>& minibatch : minibatches) {
    most = std::max(most, static_cast<int64_t>(minibatch.size()));
  }
  bool moved = false;
  for (DeviceNetwork& network : networks_) moved |= network.Reserve(most, options_.rows_per_part);
  const int64_t indices = minibatches.size() > 1 ? most : 0;
  if (indices > index_capacity_) {
    index_capacity_ = indices;
    const int64_t scalars = (num_scalars() + 1) / 2;  // two to an int64
    current_ = at::zeros({index_capacity_ + scalars}, at::TensorOptions().dtype(at::kLong).device(device_));
    indices_ = current_.narrow(0, 0, index_capacity_);
    scalars_ = current_.narrow(0, index_capacity_, scalars).view(at::kFloat);
    moved = true;
  }
  if (moved) shapes_.clear();
}

at::Tensor DeviceStep::Upload(const std::vector<std::vector<int64_t>>& minibatches,
                              const std::vector<std::vector<double>>& denominators, const UpdateTotals& totals) const {
  // Pinned memory is the allocator's again when the copy is over, not before.
  const at::Tensor host = at::empty({static_cast<int64_t>(minibatches.size()), current_.numel()},
                                    at::TensorOptions().dtype(at::kLong).pinned_memory(!device_.is_cpu()));
  for (size_t m = 0; m < minibatches.size(); ++m) {
    int64_t* const row = host.data_ptr<int64_t>() + static_cast<int64_t>(m) * current_.numel();
    std::fill(row, row + current_.numel(), 0);
    if (minibatches.size() > 1) std::copy(minibatches[m].begin(), minibatches[m].end(), row);
    auto* const scalars = reinterpret_cast<float*>(row + index_capacity_);
    scalars[kActorLearningRate] = static_cast<float>(totals.actor_learning_rate);
    scalars[kCriticLearningRate] = static_cast<float>(totals.critic_learning_rate);
    scalars[kEntropyCoefficient] = static_cast<float>(totals.entropy_coefficient);
    for (size_t n = 0; n < networks_.size(); ++n) {
      scalars[kDenominators + n] = static_cast<float>(denominators[m][n]);
    }
  }
  return host.to(device_, /*non_blocking=*/true);
}

void DeviceStep::RunEpoch(const std::vector<std::vector<int64_t>>& minibatches,
                          const std::vector<std::vector<double>>& denominators, const UpdateTotals& totals) {
  const at::NoGradGuard no_gradient;
  Reserve(minibatches);
  const at::Tensor upload = Upload(minibatches, denominators, totals);
  for (size_t m = 0; m < minibatches.size(); ++m) {
    current_.copy_(upload.select(0, static_cast<int64_t>(m)));
    Run(static_cast<int64_t>(minibatches[m].size()), minibatches.size() == 1);
    if (!ranks_.status().ok()) return;
  }
}

void DeviceStep::Run(int64_t count, bool whole) {
  const std::pair<int64_t, bool> key(count, whole);
  if (!options_.make_graph || (shapes_.count(key) == 0 && shapes_.size() == kMaxGraphs)) return Sequence(count, whole);
  Shape& shape = shapes_[key];
  if (shape.graph == nullptr) {
    if (++shape.runs <= kRunsBeforeCapture) return Sequence(count, whole);
    shape.graph = options_.make_graph();
    const std::string error = shape.graph->Capture([this, count, whole] { Sequence(count, whole); });
    if (!error.empty()) {
      options_.warn(absl::StrCat("no CUDA graphs from here on, which costs speed alone: ", error));
      options_.make_graph = nullptr;
      shapes_.clear();
      return Sequence(count, whole);
    }
  }
  shape.graph->Replay();
}

void DeviceStep::Sequence(int64_t count, bool whole) {
  const at::NoGradGuard no_gradient;
  const at::Tensor indices = whole ? at::Tensor() : indices_.narrow(0, 0, count);
  for (size_t n = 0; n < networks_.size(); ++n) networks_[n].Gradients(indices, count, ScalarsOf(n));
  if (ranks_.size() > 1) ranks_.Sum(&sums_);
  for (size_t n = 0; n < networks_.size(); ++n) networks_[n].Step(ScalarsOf(n), &totals_);
  totals_.EndMinibatch();
}

}  // namespace troupe
