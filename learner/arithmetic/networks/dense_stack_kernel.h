// Forward and backward of a dense stack on the CPU, made of oneDNN matrix products over blocks of rows that fit the
// second-level cache: a block passes through all layers before the next one starts. About twice as fast as the same
// stack out of LibTorch's operators, which stay as the tested reference (dense_stack.h). No LibTorch types here.
//
// Arrays are float32, row-major, contiguous: x [sets, rows, input], y and dy [sets, rows, output], parameters and their
// gradient in DenseStackSpec::Parameters() order one after another. Not thread-safe: one caller at a time, who gets all
// ComputeThreads(). Same inputs and thread count, same bits.
#ifndef TROUPE_LEARNER_ARITHMETIC_NETWORKS_DENSE_STACK_KERNEL_H_
#define TROUPE_LEARNER_ARITHMETIC_NETWORKS_DENSE_STACK_KERNEL_H_

#include <cstdint>
#include <vector>

#include "common/specs/policy_spec.h"

namespace troupe {

class DenseStackKernel {
 public:
  explicit DenseStackKernel(const DenseStackSpec& spec);

  // Whether oneDNN's product works in this process. It does unless LibTorch's libraries come before oneDNN's on the
  // link line: both export the same instantiation of std::call_once, and oneDNN must find its own.
  static bool Available();

  // Floats per (set, row) that Forward keeps for Backward.
  int64_t saved_per_row() const { return saved_per_row_; }
  int64_t num_parameters() const { return num_parameters_; }

  // `saved` [sets · rows · saved_per_row], or null when no Backward follows.
  void Forward(const float* parameters, const float* x, int64_t rows, float* saved, float* y) const;

  // Overwrites `gradient` [num_parameters] and, unless null, `dx` [sets, rows, input].
  void Backward(const float* parameters, const float* x, const float* saved, const float* dy, int64_t rows,
                float* gradient, float* dx) const;

 private:
  // Where one set's parameters start: a field's offset plus set × its size.
  struct Field {
    int64_t offset = 0;
    int64_t size = 0;
  };
  struct Layer {
    int inputs = 0;
    int outputs = 0;
    Field weight, bias, gain, shift;  // gain and shift only where a norm follows
  };
  // One lane's buffers.
  struct Scratch {
    bool used = false;
    std::vector<float> saved, current, previous, gradient;
  };

  template <typename Pointer>
  static Pointer At(Pointer parameters, const Field& field, int64_t set) {
    return parameters + field.offset + set * field.size;
  }
  void ForwardBlock(const float* parameters, int64_t set, const float* x, int64_t rows, float* saved, float* y) const;
  void BackwardBlock(const float* parameters, int64_t set, const float* x, const float* saved, const float* dy,
                     int64_t rows, float* gradient, float* dx, Scratch* scratch) const;

  DenseStackSpec spec_;
  Field input_gain_, input_shift_;
  std::vector<Layer> layers_;  // the hidden layers, then the output layer
  int64_t num_parameters_ = 0;
  int64_t saved_per_row_ = 0;
  int64_t widest_ = 0;
  mutable std::vector<Scratch> lanes_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_NETWORKS_DENSE_STACK_KERNEL_H_
