#include "learner/arithmetic/gpu/gpu_network.h"

#include <algorithm>

namespace troupe {
namespace {

// Columns of the totals after the figures.
enum Total : int64_t { kGradientNorm, kSteps, kSkipped, kTotals };

bool CopyInto(const at::Tensor& from, at::Tensor* to) {
  bool moved = false;
  if (!to->defined() || to->sizes() != from.sizes()) {
    *to = at::empty(from.sizes(), to->defined() ? to->options() : from.options());
    moved = true;
  }
  to->copy_(from);
  return moved;
}

}  // namespace

int64_t GpuNetwork::NumSums(const TrainedNetwork& network) {
  return network.stack.parameters().numel() + network.num_sets() * network.plan.objective->num_figures();
}

GpuNetwork::GpuNetwork(TrainedNetwork* network, const at::Tensor& sums, bool bfloat16)
    : network_(*network),
      sums_(sums),
      gradient_(sums.narrow(0, 0, network->stack.parameters().numel())),
      figures_(sums.narrow(0, gradient_.numel(), sums.numel() - gradient_.numel()).view({network->num_sets(), -1})),
      free_(network->FreePart(network->stack.parameters().detach())),
      free_gradient_(network->FreePart(gradient_)),
      totals_(at::zeros({network->num_sets(), figures_.size(1) + kTotals}, sums.options())),
      first_(at::zeros_like(figures_)),
      stack_(network->plan.stack, network->stack.parameters(), gradient_, bfloat16) {}

bool GpuNetwork::Reserve(int64_t steps, int64_t rows_per_part) {
  const NetworkPlan& plan = network_.plan;
  const int64_t steps_per_part = std::min(steps, std::max<int64_t>(1, rows_per_part / (sets() * plan.rows_per_step)));
  if (steps_per_part <= steps_per_part_) return false;
  steps_per_part_ = steps_per_part;
  const int64_t rows = sets() * steps_per_part * plan.rows_per_step;
  gathered_.inputs = at::empty({rows * plan.stack.input_size}, sums_.options());
  if (plan.objective->has_masks()) {
    gathered_.masks = at::empty({rows * plan.stack.output_size}, sums_.options().dtype(at::kByte));
  }
  gathered_.fields = at::empty({rows * network_.fields_per_row()}, sums_.options());
  activations_ = stack_.Allocate(steps_per_part * plan.rows_per_step);
  return true;
}

bool GpuNetwork::LoadRows(const at::Tensor& inputs, const at::Tensor& masks) {
  bool moved = CopyInto(inputs, &rows_.inputs);
  if (masks.defined()) moved |= CopyInto(masks, &rows_.masks);
  return moved;
}

bool GpuNetwork::LoadFields(const at::Tensor& fields) {
  // On the device, wherever they come from.
  if (!rows_.fields.defined()) rows_.fields = at::empty({0}, sums_.options());
  return CopyInto(fields, &rows_.fields);
}

at::Tensor GpuNetwork::Pick(const at::Tensor& all, const at::Tensor& indices, int64_t first, int64_t count,
                            int64_t width, const at::Tensor& into) const {
  at::Tensor picked;
  if (indices.defined()) {
    picked = into.narrow(0, 0, all.size(0) * count * all.size(2)).view({all.size(0), count, all.size(2)});
    at::index_select_out(picked, all, 1, indices.narrow(0, first, count));
  } else {
    picked = all.narrow(1, first, count);
  }
  // A run of several sets' rows lies apart, and is copied where it must be reshaped.
  return picked.reshape({all.size(0), count * all.size(2) / width, width});
}

void GpuNetwork::Gradients(const at::Tensor& indices, int64_t count, const GpuScalars& scalars) {
  if (count == 0) {
    sums_.zero_();
    return;
  }
  const NetworkPlan& plan = network_.plan;
  stack_.Refresh();
  const int64_t parts = (count + steps_per_part_ - 1) / steps_per_part_;
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = count * part / parts, steps = count * (part + 1) / parts - first;
    const auto pick = [&](at::Tensor GpuRows::*what, int64_t width) {
      return Pick(rows_.*what, indices, first, steps, width, gathered_.*what);
    };
    const at::Tensor y = stack_.Forward(pick(&GpuRows::inputs, plan.stack.input_size), &activations_);
    at::Tensor masks, free_gradient, sums;
    if (plan.objective->has_masks()) masks = pick(&GpuRows::masks, plan.stack.output_size);
    const at::Tensor slope =
        plan.objective->Operators(y, masks, pick(&GpuRows::fields, network_.fields_per_row()), free_,
                                  scalars.denominators, scalars.objective, &free_gradient, &sums);
    stack_.Backward(slope, /*add=*/part > 0, &activations_);
    if (free_.defined()) part > 0 ? free_gradient_.add_(free_gradient) : free_gradient_.copy_(free_gradient);
    part > 0 ? figures_.add_(sums) : figures_.copy_(sums);
  }
}

void GpuNetwork::Step(const GpuScalars& scalars) {
  const FlatAdam::StepResult step = network_.optimizer.StepOnDevice(scalars.learning_rates, gradient_, figures_.sum(1));
  const at::Tensor wanted = (scalars.learning_rates >= 0).to(at::kFloat), skipped = step.skipped * wanted;
  const at::Tensor moved = (wanted - skipped).unsqueeze(1);
  const at::Tensor all = at::cat({figures_, step.gradient_norms.unsqueeze(1), at::ones_like(moved)}, 1);
  totals_.narrow(1, 0, all.size(1)).add_(at::where(moved > 0, all, at::zeros_like(all)));
  totals_.select(1, all.size(1)).add_(skipped);
}

at::Tensor GpuNetwork::Infer(const at::Tensor& x, int64_t rows_per_part) {
  stack_.Refresh();
  const int64_t rows = x.size(1), most = std::min(rows, std::max<int64_t>(1, rows_per_part / sets()));
  const at::Tensor y = at::empty({sets(), rows, network_.outputs()}, x.options());
  DeviceStack::Activations activations = stack_.Allocate(most);
  for (int64_t first = 0; first < rows; first += most) {
    const int64_t count = std::min(most, rows - first);
    y.narrow(1, first, count).copy_(stack_.Forward(x.narrow(1, first, count), &activations));
  }
  return y;
}

std::vector<SetFigures> GpuNetwork::TakeFigures() {
  const int64_t figures = figures_.size(1);
  const at::Tensor host = at::cat({totals_, first_}, 1).to(at::kCPU).contiguous();
  totals_.zero_();
  first_.zero_();
  std::vector<SetFigures> taken(sets());
  for (int64_t set = 0; set < sets(); ++set) {
    const float* row = host.const_data_ptr<float>() + set * host.size(1);
    SetFigures& of = taken[set];
    std::copy_n(row, figures, of.sums.begin());
    of.gradient_norm = row[figures + kGradientNorm];
    of.steps = row[figures + kSteps];
    of.skipped = row[figures + kSkipped];
    std::copy_n(row + figures + kTotals, figures, of.first.begin());
  }
  return taken;
}

}  // namespace troupe
