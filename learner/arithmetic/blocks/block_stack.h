// A dense stack on the CPU, forward and backward over one block of rows at a time, for the inner
// loop of training: nothing is allocated, nothing leaves the second-level cache between layers but weights and
// gradients.
//
// The packed copy of the parameters is made by Pack and goes stale when they change; a layer's takes in gain and bias
// of the norm before it (block_norm.h). Parameters and gradients are one after another in DenseStackSpec::Parameters()
// order (dense_stack.h); a set's own gradient, as Backward writes it, is by that copy, layer after layer weight
// [inputs, outputs], bias [outputs], and SumLayer makes those of the parameters of it. No LibTorch types here.
//
// Thread-safety: Pack, Forward and Backward may run at once on several threads, each with its own scratch, as long as
// no Pack of a layer meets a Forward or Backward.
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_STACK_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_STACK_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "common/specs/policy_spec.h"
#include "learner/arithmetic/blocks/block_kernels.h"
#include "learner/arithmetic/blocks/block_norm.h"

namespace troupe {

// 64-byte aligned 32-bit words, zero at first.
class AlignedWords {
 public:
  AlignedWords() = default;
  explicit AlignedWords(int64_t count);
  uint32_t* data() const { return data_.get(); }
  float* floats() const { return reinterpret_cast<float*>(data_.get()); }

 private:
  struct Free {
    void operator()(uint32_t* words) const;
  };
  std::unique_ptr<uint32_t[], Free> data_;
};

// Of a ReLU that lets everything through: with it BlockKernels::backward_input is a product alone, and
// BlockNorm::backward ends at the norm. For sheets of as many columns.
class PlainSheet {
 public:
  PlainSheet() = default;
  PlainSheet(const BlockNorm& norm, int64_t columns);
  const BlockSheet& sheet() const { return sheet_; }

 private:
  AlignedWords words_;
  BlockSheet sheet_;
};

class BlockStack {
 public:
  // What one thread computes a block in; made for one stack.
  class Scratch {
   public:
    explicit Scratch(const BlockStack& stack);

   private:
    friend class BlockStack;
    AlignedWords words_;
    std::vector<BlockSheet> inputs_;  // of each layer
    std::vector<BlockSheet> made_;    // what the norm before each layer is of; inputs_ itself unless kept apart
    BlockSheet gradients_[2];
    float* rows_ = nullptr;            // [kBlockRows, widest]: what a norm hands to BlockKernels::load
    std::vector<float*> reciprocals_;  // of each layer's norm, [kBlockRows]
  };

  // Whether the kernels cover the spec: they do every one whose rows have nothing to do with each other.
  static bool Covers(const DenseStackSpec& spec) { return !spec.attends() && !spec.communicates(); }

  // `kernels` not null. `to_inputs`: SlopesOfInputs will be asked for, of a spec without an input norm.
  BlockStack(const DenseStackSpec& spec, const BlockKernels* kernels, bool to_inputs = false);

  int64_t num_sets() const { return spec_.num_sets; }
  int64_t num_layers() const { return static_cast<int64_t>(layers_.size()); }
  int64_t set_gradient_size() const { return set_gradient_size_; }
  // Multiplications with an addition of one row, forward and backward, as the mathematics has them.
  int64_t products_per_row() const;

  // Repacks one layer of one set from all sets' parameters.
  void Pack(const float* parameters, int64_t set, int64_t layer);

  // Row r of x lies at x + offsets[r], or x + r · input_size without offsets; y [rows, output_size]. rows ≤ kBlockRows.
  void Forward(const float* parameters, int64_t set, const float* x, const int64_t* offsets, int64_t rows,
               Scratch* scratch, float* y) const;
  // After Forward with the same set, rows and scratch: overwrites, or with `add` adds to, the set's own gradient.
  void Backward(int64_t set, const float* dy, int64_t rows, bool add, Scratch* scratch, float* set_gradient) const;
  // After Forward likewise: the gradient with respect to x, dx [rows, input_size].
  void SlopesOfInputs(int64_t set, const float* dy, int64_t rows, Scratch* scratch, float* dx) const;

  // Writes into all sets' gradient [P] one layer of one set with the norm before it: the sum of `count` of the set's
  // own gradients, in order. Parameters as they were packed.
  void SumLayer(const float* parameters, int64_t set, int64_t layer, float* const* set_gradients, int64_t count,
                float* gradient) const;

 private:
  struct Layer {
    int64_t inputs = 0, outputs = 0;
    bool normed = false;                   // whether its inputs come out of a norm
    int64_t gain = 0, shift = 0;           // the norm's: offset of set 0 among all sets' parameters
    int64_t weight = 0, bias = 0;          // offset of set 0 among all sets' parameters
    int64_t set_weight = 0, set_bias = 0;  // offset within a set's own gradient
    int64_t packed_words = 0, transposed_words = 0;
    AlignedWords packed, transposed;   // all sets; the first layer is transposed only for SlopesOfInputs
    AlignedWords folded, folded_bias;  // all sets' weight and bias with the norm's gain and shift in them
  };

  // From the gradient of what a layer puts out to that of what comes into it, before the activation there.
  void StepBack(int64_t set, size_t layer, int64_t rows, Scratch* scratch, const BlockSheet& from,
                const BlockSheet& to) const;

  DenseStackSpec spec_;
  const BlockKernels* kernels_;
  const BlockNorm* norm_;
  PlainSheet plain_;
  BlockActivation activation_;
  std::vector<Layer> layers_;
  AlignedWords no_bias_;  // [input_size] zeros
  int64_t set_gradient_size_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_STACK_H_
