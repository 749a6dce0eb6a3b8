// One gradient step of several networks at once out of blocks (block_network.h), on all ComputeThreads(): a single pass
// over all networks' parts, so that threads meet four times a minibatch however many networks there are.
//
//   Begin every network ─► Run: parts of all networks ─► gradient() and figures(), summed over ranks where there are
//   several ─► the caller's optimisers ─► Repack
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_STEP_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_STEP_H_

#include <cstdint>
#include <vector>

#include "learner/arithmetic/blocks/block_network.h"
#include "learner/arithmetic/objectives/loss_rows.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

class BlockStep {
 public:
  // A network's loss, one of the two kinds; pointers are to rows as BlockRows numbers them.
  struct Objective {
    const float* fields = nullptr;   // PolicyRow or ValueRow
    const uint8_t* masks = nullptr;  // of a policy; null for values
    PolicyLossSettings policy;
    ValueLossSettings value;
  };
  static constexpr int64_t kFigures = PolicyLossSum::kCount;

  // Networks cost the more time the earlier they are added: add the largest first. Returns the network's number.
  // `parameters` [P] stays where it is.
  size_t Add(const DenseStackSpec& spec, const BlockKernels* kernels, const at::Tensor& parameters);

  void Begin(size_t network, const BlockRows& rows, const Objective& objective);
  void Run();
  void Repack();
  // Outputs of all rows given to Begin, [rows, output].
  void Forward(size_t network, float* y);

  // All networks' gradients and after them kFigures of each: what the loss rows add up, divided by the denominator; a
  // critic's loss is the first. The parts of it:
  at::Tensor& sums() { return sums_; }
  float* gradient(size_t network) { return sums_.data_ptr<float>() + networks_[network].offset; }
  float* figures(size_t network) { return sums_.data_ptr<float>() + num_parameters_ + network * kFigures; }

 private:
  struct Network {
    BlockNetwork blocks;
    const float* parameters;
    int64_t offset;   // of its gradient in sums_
    int64_t actions;  // outputs
    Objective objective;
    std::vector<PolicyLossSums> figures_of_part;
  };
  // Calls body(network, item) for `task` of the concatenation of count(network) items.
  template <typename Count, typename Body>
  void ForEachItem(Count&& count, Body&& body);

  std::vector<Network> networks_;
  int64_t num_parameters_ = 0;
  at::Tensor sums_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_STEP_H_
