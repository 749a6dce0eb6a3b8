#include "learner/arithmetic/gpu/gpu_arithmetic.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

// Floats that a network's sums take, so that each network's begin where wide accesses like it.
int64_t Padded(int64_t size) { return (size + 31) / 32 * 32; }

}  // namespace

GpuArithmetic::GpuArithmetic(std::vector<NetworkPlan> plans, at::Device device, Collective* ranks, Options options)
    : device_(device),
      ranks_(*ranks),
      options_(std::move(options)),
      stream_(device),
      uploads_(device),
      finished_(device) {
  int64_t size = 0, scalars = 0;
  for (NetworkPlan& plan : plans) {
    members_.push_back({std::make_unique<TrainedNetwork>(std::move(plan), device)});
    const TrainedNetwork& network = *members_.back().network;
    size += Padded(GpuNetwork::NumSums(network));
    scalars_at_.push_back(scalars);
    scalars += 2 * network.num_sets() + Objective::kMaxScalars;
  }
  scalars_at_.push_back(scalars);
  sums_ = at::zeros({size}, at::TensorOptions().dtype(at::kFloat).device(device));
  int64_t offset = 0;
  for (Member& member : members_) {
    const int64_t own = GpuNetwork::NumSums(*member.network);
    member.gpu = std::make_unique<GpuNetwork>(member.network.get(), sums_.narrow(0, offset, own), options_.bfloat16);
    offset += Padded(own);
  }
}

std::string GpuArithmetic::bits() const {
  return options_.bfloat16 ? "gpu bfloat16" : options_.tf32 ? "gpu tf32" : "gpu float32";
}

void GpuArithmetic::SetProducts() const {
  at::globalContext().setAllowTF32CuBLAS(options_.tf32);
  at::globalContext().setAllowBF16ReductionCuBLAS(false);
}

void GpuArithmetic::BeginRows(std::shared_ptr<const Timeline>) {
  const DeviceStream::Scope scope(stream_);
  uploads_.Begin();
}

RowMemory GpuArithmetic::Rows(size_t network, int64_t states, int64_t steps) {
  Member& member = members_[network];
  const NetworkPlan& plan = member.network->plan;
  const auto host = [&](int64_t count, int64_t width, at::ScalarType type) {
    const std::array<int64_t, 3> sizes = {plan.stack.num_sets, count, plan.rows_per_step * width};
    return uploads_.Host(sizes, type);
  };
  member.sent = {.states = states, .steps = steps};
  member.sent.host_inputs = host(states, plan.stack.input_size, at::kFloat);
  RowMemory memory{member.sent.host_inputs.data_ptr<float>(), nullptr};
  if (plan.objective->has_masks()) {
    member.sent.host_masks = host(steps, plan.stack.output_size, at::kByte);
    memory.masks = member.sent.host_masks.data_ptr<uint8_t>();
  }
  return memory;
}

void GpuArithmetic::SendRows(size_t network) {
  Sent& sent = members_[network].sent;
  sent.inputs = uploads_.Send(sent.host_inputs);
  if (sent.host_masks.defined()) sent.masks = uploads_.Send(sent.host_masks);
}

void GpuArithmetic::UseRows() {
  const DeviceStream::Scope scope(stream_);
  const at::NoGradGuard no_gradient;
  uploads_.Await();
  bool moved = false;
  for (Member& member : members_) {
    member.used = member.sent;
    const TrainedNetwork& network = *member.network;
    const int64_t rows = network.plan.rows_per_step * network.fields_per_row();
    const std::array<int64_t, 3> sizes = {network.num_sets(), member.used.steps, rows};
    if (!member.fields.defined() || member.fields.sizes() != at::IntArrayRef(sizes)) {
      member.fields = at::empty(sizes, at::TensorOptions().dtype(at::kFloat).pinned_memory(!device_.is_cpu()));
    }
    moved |= member.gpu->LoadRows(member.used.inputs.narrow(1, 0, member.used.steps), member.used.masks);
  }
  if (moved) shapes_.clear();
}

void GpuArithmetic::Infer(size_t network, std::vector<float>* outputs) {
  const DeviceStream::Scope scope(stream_);
  const at::NoGradGuard no_gradient;
  SetProducts();
  Member& member = members_[network];
  const NetworkPlan& plan = member.network->plan;
  const at::Tensor x =
      member.used.inputs.view({plan.stack.num_sets, member.used.states * plan.rows_per_step, plan.stack.input_size});
  const at::Tensor host = member.gpu->Infer(x, options_.rows_per_part).to(at::kCPU);
  outputs->assign(host.const_data_ptr<float>(), host.const_data_ptr<float>() + host.numel());
}

std::vector<float> GpuArithmetic::Free(size_t network) const {
  const DeviceStream::Scope scope(stream_);
  return members_[network].network->Free();
}

void GpuArithmetic::LoadFields(size_t network) {
  const DeviceStream::Scope scope(stream_);
  const at::NoGradGuard no_gradient;
  if (members_[network].gpu->LoadFields(members_[network].fields)) shapes_.clear();
}

GpuScalars GpuArithmetic::ScalarsOf(size_t network) const {
  const int64_t first = scalars_at_[network], sets = members_[network].network->num_sets();
  return {scalars_.narrow(0, first, sets), scalars_.narrow(0, first + sets, sets),
          scalars_.narrow(0, first + 2 * sets, Objective::kMaxScalars)};
}

void GpuArithmetic::Reserve(const std::vector<std::vector<int64_t>>& minibatches) {
  int64_t most = 0;
  for (const std::vector<int64_t>& minibatch : minibatches) {
    most = std::max(most, static_cast<int64_t>(minibatch.size()));
  }
  bool moved = false;
  for (Member& member : members_) moved |= member.gpu->Reserve(most, options_.rows_per_part);
  const int64_t indices = minibatches.size() > 1 ? most : 0;
  if (indices > index_capacity_) {
    index_capacity_ = indices;
    const int64_t scalars = (scalars_at_.back() + 1) / 2;  // two to an int64
    current_ = at::zeros({index_capacity_ + scalars}, at::TensorOptions().dtype(at::kLong).device(device_));
    indices_ = current_.narrow(0, 0, index_capacity_);
    scalars_ = current_.narrow(0, index_capacity_, scalars).view(at::kFloat);
    moved = true;
  }
  if (moved) shapes_.clear();
}

at::Tensor GpuArithmetic::Upload(const Epoch& epoch) const {
  const std::vector<std::vector<int64_t>>& minibatches = epoch.minibatches;
  // Pinned memory is the allocator's again when the copy is over, not before.
  const at::Tensor host = at::empty({static_cast<int64_t>(minibatches.size()), current_.numel()},
                                    at::TensorOptions().dtype(at::kLong).pinned_memory(!device_.is_cpu()));
  for (size_t m = 0; m < minibatches.size(); ++m) {
    int64_t* const row = host.data_ptr<int64_t>() + static_cast<int64_t>(m) * current_.numel();
    std::fill(row, row + current_.numel(), 0);
    if (minibatches.size() > 1) std::copy(minibatches[m].begin(), minibatches[m].end(), row);
    auto* scalar = reinterpret_cast<float*>(row + index_capacity_);
    for (size_t n = 0; n < members_.size(); ++n) {
      const Epoch::Network& of = epoch.networks[n];
      const int64_t sets = members_[n].network->num_sets();
      for (int64_t set = 0; set < sets; ++set) {
        *scalar++ = of.stepped.empty() || of.stepped[set] != 0 ? static_cast<float>(of.learning_rate) : -1.0f;
      }
      for (int64_t set = 0; set < sets; ++set) *scalar++ = static_cast<float>(of.denominators[m * sets + set]);
      for (const double value : of.scalars) *scalar++ = static_cast<float>(value);
    }
  }
  return host.to(device_, /*non_blocking=*/true);
}

void GpuArithmetic::RunEpoch(const Epoch& epoch) {
  const DeviceStream::Scope scope(stream_);
  const at::NoGradGuard no_gradient;
  SetProducts();
  Reserve(epoch.minibatches);
  const at::Tensor upload = Upload(epoch);
  for (size_t m = 0; m < epoch.minibatches.size(); ++m) {
    current_.copy_(upload.select(0, static_cast<int64_t>(m)));
    Run(static_cast<int64_t>(epoch.minibatches[m].size()), epoch.minibatches.size() == 1);
    if (std::exchange(first_minibatch_, false)) {
      for (Member& member : members_) member.gpu->MarkFirst();
    }
    if (!ranks_.status().ok()) return;
  }
  // What was sent of this batch is read by nothing that comes later.
  uploads_.Release();
  finished_.Set();
}

void GpuArithmetic::Run(int64_t count, bool whole) {
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

void GpuArithmetic::Sequence(int64_t count, bool whole) {
  const at::NoGradGuard no_gradient;
  const at::Tensor indices = whole ? at::Tensor() : indices_.narrow(0, 0, count);
  for (size_t n = 0; n < members_.size(); ++n) members_[n].gpu->Gradients(indices, count, ScalarsOf(n));
  if (ranks_.size() > 1) ranks_.Sum(&sums_);
  for (size_t n = 0; n < members_.size(); ++n) members_[n].gpu->Step(ScalarsOf(n));
}

UpdateFigures GpuArithmetic::TakeFigures() {
  const DeviceStream::Scope scope(stream_);
  const at::NoGradGuard no_gradient;
  UpdateFigures figures;
  for (Member& member : members_) figures.push_back(member.gpu->TakeFigures());
  first_minibatch_ = true;
  return figures;
}

bool GpuArithmetic::IsBusy() { return !finished_.IsPassed(); }

std::vector<HostTensor> GpuArithmetic::Export(size_t network, const std::string& prefix) const {
  return members_[network].network->Export(prefix);
}

// Whoever blends or follows inputs has a network without an objective, and create_arithmetic.h leaves those to the CPU.
void GpuArithmetic::Blend(size_t, size_t, double) { std::abort(); }
InputGradient GpuArithmetic::Differentiate(size_t, absl::Span<const float>, int64_t) { std::abort(); }

void GpuArithmetic::Save(size_t network, std::vector<HostTensor>* state) const {
  members_[network].network->Save(state);
}

void GpuArithmetic::Load(size_t network, absl::Span<const HostTensor> state) { members_[network].network->Load(state); }

}  // namespace troupe
