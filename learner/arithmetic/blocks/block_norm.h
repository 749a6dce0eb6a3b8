// Layer norms of a dense stack over one block of rows, beside the products of block_kernels.h. In portable vector code,
// compiled once for AVX2 and once for AVX-512, with the same bits from either: sums have sixteen lanes whatever a
// register holds, and are added up in a fixed order.
//
// A norm's gain and bias never meet a row. With x̂ = (x − mean) · r, r = 1 / √(variance + ε), the layer after a norm
// computes
//   (x̂ ∘ gain + shift) · W + b  =  x̂ · (gain ∘ W) + (shift · W + b)
// so sheets hold x̂ and the layer's packed copy takes gain and shift in (fold). Its gradients by that copy, G = x̂ᵀ · d
// and Σ d, hold those of all four (unfold), once a minibatch instead of once a row:
//   dW = gain ∘ G + shift ⊗ Σ d,   db = Σ d,   dgain = Σ_outputs W ∘ G,   dshift = W · Σ d
// A norm of the network's input thus needs no gradient of its input.
//
// Mean and variance are summed up in one pass in float32, where values are float32 over differences to the row's first
// one: exact for rows of one value, and a first value far from the others costs the variance at most log2(columns)
// bits. In bfloat16 a hidden norm reads what the layer stored, rounded to eight bits, and computes in float32; x̂ is
// rounded for the product, to the nearest with ties away from 0, and backward reads it rounded. A norm of the input
// reads the rows as they are, in float32. (gpu/device_stack.h rounds in the same places but for x̂ in backward, and
// rounds W before gain is in it, not after.)
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_NORM_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_NORM_H_

#include <cstdint>

#include "learner/arithmetic/blocks/block_kernels.h"

namespace troupe {

// rows ≤ kBlockRows; reciprocals [kBlockRows] is r of each row. Pure functions.
struct BlockNorm {
  // BlockKernels::forward leaves no slope, so the sheet it wrote must outlive normalize: backward's `made` reads it.
  bool reads_activation;
  // x̂ [rows, columns] of rows that lie where BlockKernels::load would look for them.
  void (*normalize_rows)(const float* base, const int64_t* offsets, int64_t rows, int64_t columns, float epsilon,
                         float* to);
  // x̂ of a sheet; `to` may be the sheet itself.
  void (*normalize)(const BlockSheet& x, int64_t rows, int64_t columns, float epsilon, const BlockSheet& to,
                    float* reciprocals);
  // Turns d, the gradient by x̂, into that of what the layer before the norm multiplied and added up: through the norm,
  // and then through the activation whose output is `made`.
  void (*backward)(const BlockSheet& d, const BlockSheet& normalized, const BlockSheet& made,
                   BlockActivation activation, int64_t rows, int64_t columns, const float* reciprocals);
  // weight [inputs, outputs] → folded, the same shape; bias [outputs] → folded_bias.
  void (*fold)(const float* weight, const float* bias, const float* gain, const float* shift, int64_t inputs,
               int64_t outputs, float* folded, float* folded_bias);
  // Turns the folded layer's weight_gradient into that of `weight`, and writes gain_gradient and shift_gradient
  // [inputs]. The bias's gradient is the folded one's.
  void (*unfold)(const float* weight, const float* gain, const float* shift, int64_t inputs, int64_t outputs,
                 const float* bias_gradient, float* weight_gradient, float* gain_gradient, float* shift_gradient);
};

// That of the kernels' sheets; kernels not null.
const BlockNorm* BlockNormOf(const BlockKernels* kernels);

// The tables it chooses from; null where the compiler's target lacks the instructions.
const BlockNorm* BlockNormAvx2();
const BlockNorm* BlockNormAvx512();
const BlockNorm* BlockNormBf16();

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_NORM_H_
