// One network's share of a minibatch step made of BlockStack's blocks: its rows are dealt to parts, each part a run of
// rows of one parameter set with a gradient of its own, which are added up in order afterwards. Parts depend on the
// number of rows alone, so the bits of a step do not depend on who computes which part, nor on the number of threads.
//
// A step:  Begin ─► RunPart of every part, on any threads ─► SumLayer of every layer ─► (optimiser) ─► PackLayer of
// every layer. Memory is kept from step to step; a step allocates only when it is larger than any before. No LibTorch
// here.
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_NETWORK_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_NETWORK_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "learner/arithmetic/blocks/block_stack.h"

namespace troupe {

// Where a network's rows lie: a step is `rows_per_step` neighbouring rows of each set; sets follow one another.
struct BlockRows {
  const float* x = nullptr;  // [sets, steps of the batch, rows_per_step, input]
  int64_t rows_in_set = 0;   // steps of the batch · rows_per_step
  int64_t rows_per_step = 1;
  const int64_t* steps = nullptr;  // those of the minibatch; null for the first num_steps
  int64_t num_steps = 0;
};

class BlockNetwork {
 public:
  // Turns a block's outputs y [rows, output] into their gradient dy; index[r] is the row's number in BlockRows.
  using Loss = absl::FunctionRef<void(const int64_t* index, int64_t rows, const float* y, float* dy)>;

  BlockNetwork(const DenseStackSpec& spec, const BlockKernels* kernels);

  // `lanes` ≥ ComputeThreads().
  void Begin(const BlockRows& rows, int lanes);
  int64_t num_parts() const { return stack_.num_sets() * parts_per_set_; }
  void RunPart(const float* parameters, int64_t part, int lane, Loss loss);

  // Every layer of every set, in any order, on any threads.
  int64_t num_layers() const { return stack_.num_sets() * stack_.num_layers(); }
  void SumLayer(int64_t layer, float* gradient) const;
  void PackLayer(int64_t layer, const float* parameters);

  // y [rows, output] of all rows, on all threads. Begin and PackLayer first.
  void Forward(const float* parameters, float* y);

  const BlockStack& stack() const { return stack_; }

 private:
  struct Lane {
    BlockStack::Scratch scratch;
    std::vector<int64_t> index, offsets;
    std::vector<float> y, dy;
  };
  // Numbers and offsets of `rows` rows of a set from `first` on.
  void Locate(int64_t set, int64_t first, int64_t rows, Lane* lane) const;

  DenseStackSpec spec_;
  BlockStack stack_;
  BlockRows rows_;
  int64_t rows_per_set_ = 0, rows_per_part_ = 1, parts_per_set_ = 0;
  std::vector<Lane> lanes_;
  AlignedWords gradients_;  // [parts, set_gradient_size]
  std::vector<float*> gradient_of_part_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_NETWORK_H_
