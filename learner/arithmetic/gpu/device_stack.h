// Forward and backward of a dense stack as a fixed sequence of LibTorch's operators, without autograd: what a GPU runs,
// and what a CUDA graph can record. The same operators run on the CPU, where tests hold them to ForwardReference
// (dense_stack.h) and its gradients.
//
// Large intermediates live in Activations, allocated once for the most rows; only layer norms and, in bfloat16, the
// weights' gradients use temporaries. Nothing here waits for the device.
//
// With bfloat16, products take and give bfloat16; parameters, their gradients, layer norms and what Forward returns are
// float32.
#ifndef TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_STACK_H_
#define TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_STACK_H_

#include <cstdint>
#include <vector>

#include "common/specs/policy_spec.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

// Not thread-safe.
class DeviceStack {
 public:
  // What Forward leaves for Backward, of at most so many rows per set.
  class Activations {
   public:
    Activations() = default;

   private:
    friend class DeviceStack;
    struct Norm {
      at::Tensor input, normalized, mean, deviation;  // float32; deviation is the reciprocal
    };
    int64_t max_rows = 0;
    std::vector<at::Tensor> outputs;   // of each layer after its activation, flat, in the products' type
    std::vector<at::Tensor> operands;  // bfloat16: of each layer that does not take another's output as it is, flat
    at::Tensor result;                 // bfloat16: the output in float32, flat
    at::Tensor slopes[2];              // gradients of layers' inputs, in turn, flat
    std::vector<at::Tensor> used;      // each layer's operand, as Forward used it
    Norm input_norm;
    std::vector<Norm> norms;
  };

  // Views `parameters` and writes gradients into `gradient`, both [P] float32, contiguous, on one device.
  DeviceStack(const DenseStackSpec& spec, const at::Tensor& parameters, const at::Tensor& gradient, bool bfloat16);

  Activations Allocate(int64_t max_rows) const;

  // Takes over the parameters' present values; call after every change and before Forward.
  void Refresh();

  // x [sets, rows, input] float32 → [sets, rows, output] float32, valid until the next call with these activations.
  at::Tensor Forward(const at::Tensor& x, Activations* activations) const;

  // After Forward of the same rows. dy [sets, rows, output] float32. `add` to the gradient, or overwrite it.
  void Backward(const at::Tensor& dy, bool add, Activations* activations);

 private:
  struct Pair {
    at::Tensor scale, shift;  // weight [sets, inputs, outputs] and bias, or a norm's gain and bias, [sets, size]
  };
  // A flat tensor's parts.
  struct Parts {
    Pair input_norm;
    std::vector<Pair> layers;  // the hidden ones, then the output's
    std::vector<Pair> norms;
  };

  Parts Split(const at::Tensor& flat) const;
  int64_t Inputs(size_t layer) const;
  bool IsNormed(size_t layer) const;  // whether the layer's operand comes out of a norm
  at::Tensor View(const at::Tensor& flat, int64_t rows, int64_t width) const;
  at::Tensor Operand(size_t layer, const at::Tensor& from, Activations* activations) const;
  at::Tensor Normalize(const at::Tensor& x, const Pair& pair, Activations::Norm* norm) const;
  // Returns the gradient of the norm's input, if `wanted`.
  at::Tensor NormBackward(const at::Tensor& dy, const Pair& pair, bool wanted, bool add, Activations::Norm* norm,
                          Pair* gradient) const;
  void LayerGradient(const at::Tensor& operand, const at::Tensor& dy, bool add, Pair* gradient) const;

  const DenseStackSpec spec_;
  const at::ScalarType type_;
  at::Tensor parameters_;
  at::Tensor rounded_;  // bfloat16: the parameters
  Parts products_;      // views of what products take
  Parts values_;        // views of the parameters in float32
  Parts gradients_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_STACK_H_
