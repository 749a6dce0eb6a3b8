#include "learner/arithmetic/gpu/device_network.h"

#include <algorithm>

#include "learner/arithmetic/objectives/device_losses.h"

namespace troupe {

DeviceNetwork::DeviceNetwork(const Spec& spec, const at::Tensor& sums, bool bfloat16)
    : spec_(spec),
      sums_(sums),
      gradient_(sums.narrow(0, 0, spec.stack->parameters().numel())),
      figures_(sums.narrow(0, gradient_.numel(), spec.num_figures())),
      stack_(spec.stack->spec(), spec.stack->parameters(), gradient_, bfloat16),
      action_numbers_(at::arange(spec.stack->spec().output_size, sums.options())) {}

bool DeviceNetwork::Reserve(int64_t steps, int64_t rows_per_part) {
  const int64_t steps_per_part = std::min(steps, std::max<int64_t>(1, rows_per_part / (sets() * spec_.rows_per_step)));
  if (steps_per_part <= steps_per_part_) return false;
  steps_per_part_ = steps_per_part;
  const DenseStackSpec& stack = spec_.stack->spec();
  const int64_t rows = sets() * steps_per_part * spec_.rows_per_step;
  gathered_.inputs = at::empty({rows * stack.input_size}, sums_.options());
  if (spec_.is_policy) {
    gathered_.masks = at::empty({rows * stack.output_size}, sums_.options().dtype(at::kByte));
    gathered_.fields = at::empty({rows * PolicyRow::kCount}, sums_.options());
  } else {
    gathered_.fields = at::empty({rows * stack.output_size * ValueRow::kCount}, sums_.options());
  }
  activations_ = stack_.Allocate(steps_per_part * spec_.rows_per_step);
  return true;
}

bool DeviceNetwork::Load(const DeviceRows& rows) {
  bool moved = false;
  for (at::Tensor DeviceRows::*part : {&DeviceRows::inputs, &DeviceRows::masks, &DeviceRows::fields}) {
    const at::Tensor& from = rows.*part;
    at::Tensor& to = rows_.*part;
    if (!from.defined()) continue;
    if (!to.defined() || to.sizes() != from.sizes()) {
      to = at::empty(from.sizes(), from.options());
      moved = true;
    }
    to.copy_(from);
  }
  return moved;
}

at::Tensor DeviceNetwork::Pick(const at::Tensor& all, const at::Tensor& indices, int64_t first, int64_t count,
                               int64_t width, const at::Tensor& into) const {
  at::Tensor picked;
  if (indices.defined()) {
    picked = into.narrow(0, 0, all.size(0) * count * all.size(2)).view({all.size(0), count, all.size(2)});
    at::index_select_out(picked, all, 1, indices.narrow(0, first, count));
  } else {
    picked = all.narrow(1, first, count);
  }
  return picked.view({all.size(0), count * all.size(2) / width, width});
}

void DeviceNetwork::Gradients(const at::Tensor& indices, int64_t count, const DeviceScalars& scalars) {
  if (count == 0) {
    sums_.zero_();
    return;
  }
  const DenseStackSpec& stack = spec_.stack->spec();
  stack_.Refresh();
  const int64_t parts = (count + steps_per_part_ - 1) / steps_per_part_;
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = count * part / parts, steps = count * (part + 1) / parts - first;
    const auto pick = [&](at::Tensor DeviceRows::*what, int64_t width) {
      return Pick(rows_.*what, indices, first, steps, width, gathered_.*what);
    };
    const at::Tensor y = stack_.Forward(pick(&DeviceRows::inputs, stack.input_size), &activations_);
    at::Tensor slope, sums;
    if (spec_.is_policy) {
      const PolicyLossResult loss = ComputePolicyLossOnDevice(
          y, pick(&DeviceRows::masks, stack.output_size), pick(&DeviceRows::fields, PolicyRow::kCount), action_numbers_,
          spec_.policy, scalars.entropy_coefficient, scalars.denominator);
      slope = loss.gradient, sums = loss.sums;
    } else {
      const ValueLossResult loss = ComputeValueLossOnDevice(
          y.reshape({-1}), pick(&DeviceRows::fields, ValueRow::kCount).select(0, 0), spec_.value, scalars.denominator);
      slope = loss.gradient.view(y.sizes()), sums = loss.loss;
    }
    stack_.Backward(slope, /*add=*/part > 0, &activations_);
    part > 0 ? figures_.add_(sums) : figures_.copy_(sums);
  }
}

void DeviceNetwork::Step(const DeviceScalars& scalars, UpdateTotals* totals) {
  const FlatAdam::StepResult step = spec_.optimizer->StepOnDevice(scalars.learning_rate, gradient_, figures_.sum());
  totals->Add(figures_, step, spec_.is_policy ? &totals->actor : &totals->critic);
}

at::Tensor DeviceNetwork::Infer(const at::Tensor& x, int64_t rows_per_part) {
  stack_.Refresh();
  const int64_t rows = x.size(1), most = std::min(rows, std::max<int64_t>(1, rows_per_part / sets()));
  const at::Tensor y = at::empty({sets(), rows, spec_.stack->spec().output_size}, x.options());
  DeviceStack::Activations activations = stack_.Allocate(most);
  for (int64_t first = 0; first < rows; first += most) {
    const int64_t count = std::min(most, rows - first);
    y.narrow(1, first, count).copy_(stack_.Forward(x.narrow(1, first, count), &activations));
  }
  return y;
}

}  // namespace troupe
