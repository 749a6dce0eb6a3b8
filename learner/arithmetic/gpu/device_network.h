// One network's part of a gradient step on a device: rows gathered by index, forward, loss, backward, Adam. Every
// operand is a tensor that stays where it is, so the operators can be recorded and run again with other contents.
#ifndef TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_NETWORK_H_
#define TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_NETWORK_H_

#include <cstdint>

#include "learner/arithmetic/gpu/device_stack.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "learner/arithmetic/networks/flat_adam.h"
#include "learner/arithmetic/networks/update_totals.h"
#include "learner/arithmetic/objectives/loss_rows.h"

namespace troupe {

// A batch's rows of one network, on the device; S sets, T joint steps, R rows of a step in a set.
struct DeviceRows {
  at::Tensor inputs;  // [S, T, R · input], float32
  at::Tensor masks;   // [S, T, R · actions], uint8; a policy's only
  at::Tensor fields;  // [S, T, R · PolicyRow::kCount] or [1, T, R · output · ValueRow::kCount], float32
};

// What may differ from step to step: scalars [] on the device, float32.
struct DeviceScalars {
  at::Tensor learning_rate, entropy_coefficient, denominator;
};

// Not thread-safe. Nothing here waits for the device.
class DeviceNetwork {
 public:
  struct Spec {
    const DenseStack* stack = nullptr;  // these two outlive the network
    FlatAdam* optimizer = nullptr;
    int64_t rows_per_step = 1;  // R
    bool is_policy = false;
    PolicyLossSettings policy;  // the clip of it
    ValueLossSettings value;    // all but the denominator

    int64_t num_figures() const { return is_policy ? int64_t{PolicyLossSum::kCount} : 1; }
    int64_t num_sums() const { return stack->parameters().numel() + num_figures(); }
  };

  // `sums` [num_sums()]: where the gradient goes, and after it what the loss's rows add up to.
  DeviceNetwork(const Spec& spec, const at::Tensor& sums, bool bfloat16);

  // Makes room for minibatches of so many steps, of which at most `rows_per_part` input rows pass at once. Returns
  // whether tensors have moved.
  bool Reserve(int64_t steps, int64_t rows_per_part);
  // Copies a batch's rows. Returns whether tensors have moved, which they do when sizes change.
  bool Load(const DeviceRows& rows);

  // Sums of the steps listed in `indices` (int64 [count]), or where that is undefined of the first `count` ones. Adds
  // nothing up when there are none.
  void Gradients(const at::Tensor& indices, int64_t count, const DeviceScalars& scalars);
  // Adam's step along the gradient, and its figures into `totals`.
  void Step(const DeviceScalars& scalars, UpdateTotals* totals);

  // x [S, rows, input] → [S, rows, output]; without gradient.
  at::Tensor Infer(const at::Tensor& x, int64_t rows_per_part);

 private:
  int64_t sets() const { return spec_.stack->spec().num_sets; }
  at::Tensor Pick(const at::Tensor& all, const at::Tensor& indices, int64_t first, int64_t count, int64_t width,
                  const at::Tensor& into) const;

  const Spec spec_;
  at::Tensor sums_, gradient_, figures_;
  DeviceStack stack_;
  at::Tensor action_numbers_;
  DeviceRows rows_;      // the batch
  DeviceRows gathered_;  // a part of a minibatch, flat
  DeviceStack::Activations activations_;
  int64_t steps_per_part_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_NETWORK_H_
