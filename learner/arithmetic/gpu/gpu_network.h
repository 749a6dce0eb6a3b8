// One network's part of a gradient step on a device: rows gathered by index, forward, loss, backward, Adam. Every
// operand is a tensor that stays where it is, so the operators can be recorded and run again with other contents.
#ifndef TROUPE_LEARNER_ARITHMETIC_GPU_GPU_NETWORK_H_
#define TROUPE_LEARNER_ARITHMETIC_GPU_GPU_NETWORK_H_

#include <cstdint>
#include <vector>

#include "learner/arithmetic/gpu/device_stack.h"
#include "learner/arithmetic/networks/trained_network.h"

namespace troupe {

// A batch's rows of one network, on the device; S sets, T joint steps, R rows of a step in a set.
struct GpuRows {
  at::Tensor inputs;  // [S, T, R · input], float32
  at::Tensor masks;   // [S, T, R · output], uint8; undefined where the objective has none
  at::Tensor fields;  // [S, T, R · fields per row], float32
};

// What may differ from step to step, on the device, float32.
struct GpuScalars {
  at::Tensor learning_rates;  // [S], below 0 where a set is not stepped
  at::Tensor denominators;    // [S]
  at::Tensor objective;       // [Objective::kMaxScalars]
};

// Not thread-safe. Nothing here waits for the device, FiguresTo excepted.
class GpuNetwork {
 public:
  // Floats of a network's gradient and, after it, its figures [S, num_figures].
  static int64_t NumSums(const TrainedNetwork& network);

  // `network` outlives this. `sums` [NumSums()].
  GpuNetwork(TrainedNetwork* network, const at::Tensor& sums, bool bfloat16);

  const TrainedNetwork& network() const { return network_; }

  // Makes room for minibatches of so many steps, of which at most `rows_per_part` input rows pass at once. Returns
  // whether tensors have moved.
  bool Reserve(int64_t steps, int64_t rows_per_part);
  // Copy a batch's rows, and its fields. Return whether tensors have moved, which they do when sizes change.
  bool LoadRows(const at::Tensor& inputs, const at::Tensor& masks);
  bool LoadFields(const at::Tensor& fields);

  // Sums of the steps listed in `indices` (int64 [count]), or where that is undefined of the first `count` ones. Adds
  // nothing up when there are none.
  void Gradients(const at::Tensor& indices, int64_t count, const GpuScalars& scalars);
  // Adam's step along the gradient, and its figures into the totals.
  void Step(const GpuScalars& scalars);
  // The totals so far are the first minibatch's.
  void MarkFirst() { first_.copy_(totals_.narrow(1, 0, first_.size(1))); }

  // x [S, rows, input] → [S, rows, output]; without gradient.
  at::Tensor Infer(const at::Tensor& x, int64_t rows_per_part);

  // The totals, which begin anew.
  std::vector<SetFigures> TakeFigures();

 private:
  int64_t sets() const { return network_.num_sets(); }
  at::Tensor Pick(const at::Tensor& all, const at::Tensor& indices, int64_t first, int64_t count, int64_t width,
                  const at::Tensor& into) const;

  TrainedNetwork& network_;
  at::Tensor sums_, gradient_, figures_;
  at::Tensor free_, free_gradient_;  // [S, free parameters]; undefined where there are none
  at::Tensor totals_;                // [S, figures, gradient norm, steps, skipped]
  at::Tensor first_;                 // [S, figures]
  DeviceStack stack_;
  GpuRows rows_;      // the batch
  GpuRows gathered_;  // a part of a minibatch, flat
  DeviceStack::Activations activations_;
  int64_t steps_per_part_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_GPU_GPU_NETWORK_H_
