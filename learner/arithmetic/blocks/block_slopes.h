// How a dense network's output changes with its inputs, by the block kernels in float32, whatever the network is
// trained in: fixed blocks of rows on the compute pool, so that threads do not decide bits. No LibTorch here.
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_SLOPES_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_SLOPES_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/specs/policy_spec.h"
#include "learner/arithmetic/arithmetic.h"
#include "learner/arithmetic/blocks/block_stack.h"

namespace troupe {

// Not thread-safe.
class BlockSlopes {
 public:
  // Those that BlockStack covers, but for a norm of the inputs, on a processor that has the kernels.
  static bool Covers(const DenseStackSpec& spec);

  // `parameters` [P] stays where it is and may change between calls. The spec is one that is covered.
  BlockSlopes(const DenseStackSpec& spec, const float* parameters);

  // As Arithmetic::Differentiate.
  InputGradient Differentiate(absl::Span<const float> inputs, int64_t rows);

 private:
  const DenseStackSpec spec_;
  const float* const parameters_;
  BlockStack stack_;
  std::vector<BlockStack::Scratch> scratches_;  // a lane each
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_SLOPES_H_
