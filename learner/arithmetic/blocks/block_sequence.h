// A recurrent network's steps and gradients out of blocks of rows, in float32: the layers before the cell are a
// BlockStack whose outputs are the gates' inputs; the cell's and the output's products are those of block_kernels.h
// over sheets of their own; the elementwise part is cell_loops.h. No LibTorch here.
//
// A set's own gradient: that of the BlockStack, then weight and bias of the product with the state, then of the output
// layer, the latter with the norm after the cell taken in as block_norm.h says.
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_SEQUENCE_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_SEQUENCE_H_

#include <vector>

#include "common/specs/policy_spec.h"
#include "learner/arithmetic/blocks/block_stack.h"
#include "learner/arithmetic/cpu/sequence_network.h"

namespace troupe {

class BlockSequence final : public SequenceNetwork {
 public:
  // `parameters` [P] of all sets stays where it is. The spec is recurrent; `kernels` are float32's, not null.
  BlockSequence(const DenseStackSpec& spec, const BlockKernels* kernels, const float* parameters);

  void Prepare(int lanes, int64_t steps) override;
  void Step(int lane, const StepCall& call, int64_t keep) override;
  void Backward(int lane, int64_t set, int64_t rows, int64_t steps, const float* slopes, bool add,
                float* set_gradient) override;
  int64_t set_gradient_size() const override { return output_.in_gradient + output_.size() + output_.outputs; }
  // Those before the cell, the product with the state, the output.
  int64_t num_layers() const override { return before_.num_layers() + 2; }
  void SumLayer(int64_t set, int64_t layer, float* const* set_gradients, int64_t count, float* gradient) override;
  void Refresh(int64_t set, int64_t layer) override;

 private:
  // A product with a bias.
  struct Product {
    int64_t inputs = 0, outputs = 0;
    int64_t weight = 0, bias = 0;  // of set 0 among all sets' parameters
    int64_t in_gradient = 0;       // of the weight in a set's own gradient; the bias follows it
    int64_t packed_words = 0, transposed_words = 0;
    AlignedWords packed, transposed;  // [sets]

    int64_t size() const { return inputs * outputs; }
  };
  // A sheet with memory of its own.
  struct Sheet {
    Sheet(const BlockKernels& kernels, int64_t columns);
    AlignedWords words;
    BlockSheet sheet;
  };
  // What a step leaves for Backward.
  struct Kept {
    explicit Kept(const BlockSequence& of);
    BlockStack::Scratch scratch;       // of the layers before the cell
    Sheet output;                      // what the output layer multiplies
    std::vector<float> gates, before;  // [kSequenceRows, gates · H], [kSequenceRows, D]
    std::vector<float> candidates;     // GRU: gh's last part; LSTM: tanh(c'); [kSequenceRows, H]
    std::vector<float> reciprocals;    // of the norm after the cell, [kSequenceRows]
    std::vector<uint8_t> begins;       // [kSequenceRows]
  };
  struct Lane {
    explicit Lane(const BlockSequence& of);
    std::vector<Kept> steps;  // what is not kept goes to the first
    Sheet states, slopes, state_slopes, output_slopes;
    std::vector<float> products;        // [kSequenceRows, gates · H]
    std::vector<float> input_slopes;    // the same: by gi
    std::vector<float> product_slopes;  // the same: by gh
    std::vector<float> slope, passed;   // by the state [kSequenceRows, D]; by m through a product [kSequenceRows, H]
    std::vector<float> outputs;         // [kSequenceRows, H], of Memory
  };

  Product MakeProduct(int64_t inputs, int64_t outputs, int64_t weight, int64_t in_gradient) const;
  void Pack(Product& product, int64_t set, const float* weight) const;
  // The first H numbers of each row's state, [rows, H]: what the cell multiplies, and what it puts out. In `state`
  // itself where there are no others, else in lane->outputs.
  const float* Memory(const float* state, int64_t rows, Lane* lane) const;
  // The outputs of the cell, normed, times the output layer.
  void Output(int64_t set, int64_t rows, const float* state, Lane* lane, Kept* kept, float* outputs) const;
  // What Output does, back: overwrites lane->passed by the gradient by the cell's outputs.
  void OutputBackward(int64_t set, int64_t rows, const float* slopes, bool add, Lane* lane, const Kept& kept,
                      float* set_gradient) const;

  const DenseStackSpec spec_;
  const BlockKernels* const kernels_;
  const BlockNorm* const norm_;
  const float* const parameters_;
  BlockStack before_;
  Product state_, output_;
  int64_t gain_ = 0, shift_ = 0;       // the norm's after the cell: of set 0 among all sets' parameters
  AlignedWords folded_, folded_bias_;  // with the norm: all sets' output weight and bias that have taken it in
  PlainSheet plain_;
  std::vector<Lane> lanes_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_SEQUENCE_H_
