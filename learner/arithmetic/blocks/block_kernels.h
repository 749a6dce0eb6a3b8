// The products of a dense stack over one block of rows that stays in the second-level cache from layer to layer,
// written for AVX-512 and, in float32, for AVX2: bias, activation and activation's gradient are applied while a tile is
// in registers.
//
// F32 computes in float32, with the same bits on either. BF16 multiplies bfloat16 (AVX512_BF16) and adds up in float32;
// parameters, gradients and what goes in and out stay float32. Both round the same way wherever and however often they
// run: no kernel shares work between threads. No LibTorch types here.
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_KERNELS_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_KERNELS_H_

#include <cstdint>

namespace troupe {

// Most rows of a block; rows are computed up to the next multiple of kTileRows, columns in panels of kPanelColumns.
inline constexpr int64_t kBlockRows = 128;
inline constexpr int64_t kTileRows = 8;
inline constexpr int64_t kPanelColumns = 32;

constexpr int64_t PaddedRows(int64_t rows) { return (rows + kTileRows - 1) / kTileRows * kTileRows; }
constexpr int64_t PaddedColumns(int64_t columns) {
  return (columns + kPanelColumns - 1) / kPanelColumns * kPanelColumns;
}

// Rows of a minibatch lie anywhere in memory: while `load` copies `row`, one is fetched that it comes to some forty
// cache lines later.
inline void FetchLaterRow(const float* base, const int64_t* offsets, int64_t row, int64_t rows, int64_t columns) {
  constexpr int64_t kLinesAhead = 40, kFewestRows = 4, kFloatsPerLine = 16;
  if (offsets == nullptr) return;
  const int64_t even = kLinesAhead * kFloatsPerLine / (columns + kFloatsPerLine);
  const int64_t later = row + (even < kFewestRows ? kFewestRows : even);
  if (later >= rows) return;
  for (int64_t column = 0; column < columns; column += kFloatsPerLine) {
    __builtin_prefetch(base + offsets[later] + column);
  }
}

// A block of activations or of their gradients, panel after panel, as both kinds of product want it. Memory is the
// caller's, 64-byte aligned; rows up to the next multiple of kTileRows are written too.
struct BlockSheet {
  uint32_t* by_row = nullptr;    // F32: the same as by_pair. BF16: [panel, kBlockRows, 32] bfloat16
  uint32_t* by_pair = nullptr;   // F32: [panel, kBlockRows, 32] floats. BF16: [panel, kBlockRows / 2, 32, 2] bfloat16
  uint32_t* positive = nullptr;  // AVX-512, after a ReLU: [panel, kBlockRows], bit c set where column c is above 0
  float* slope = nullptr;        // AVX-512, after a tanh: [panel, kBlockRows, 32], 1 − h²
};

enum class BlockActivation { kRelu, kTanh };

// Sizes are those of the layer: x has `inputs` columns, y and its gradient `outputs`. rows ≤ kBlockRows.
struct BlockKernels {
  // 32-bit words per padded column of a sheet's by_pair, and of its by_row where that is not the same memory, else 0.
  int64_t pair_words, row_words;
  // 32-bit words of a packed [rows, columns] matrix.
  int64_t (*packed_words)(int64_t rows, int64_t columns);
  // weight [inputs, outputs] for Forward; transposed for BackwardInput.
  void (*pack)(const float* weight, int64_t inputs, int64_t outputs, uint32_t* packed);
  void (*pack_transposed)(const float* weight, int64_t inputs, int64_t outputs, uint32_t* packed);
  // Row r comes from base + offsets[r], or from base + r · columns without offsets.
  void (*load)(const float* base, const int64_t* offsets, int64_t rows, int64_t columns, const BlockSheet& to);
  // y = activation(x · W + bias) with what BackwardInput needs to know of it.
  void (*forward)(const BlockSheet& x, int64_t rows, int64_t inputs, int64_t outputs, const uint32_t* packed,
                  const float* bias, BlockActivation activation, const BlockSheet& y);
  // The last layer: y [rows, outputs] = x · W + bias.
  void (*output)(const BlockSheet& x, int64_t rows, int64_t inputs, int64_t outputs, const uint32_t* packed,
                 const float* bias, float* y);
  // dx = (d · Wᵀ) times the slope of the activation that made x.
  void (*backward_input)(const BlockSheet& d, int64_t rows, int64_t inputs, int64_t outputs, const uint32_t* transposed,
                         const BlockSheet& x, BlockActivation activation, const BlockSheet& dx);
  // weight_gradient [inputs, outputs] and bias_gradient [outputs] are overwritten, or added to with `add`.
  void (*backward_weight)(const BlockSheet& x, const BlockSheet& d, int64_t rows, int64_t inputs, int64_t outputs,
                          bool add, float* weight_gradient, float* bias_gradient);
};

// Null where the processor, or the compiler's target, lacks the instructions (cpu_features.h).
const BlockKernels* BlockKernelsF32();  // in the widest vectors there are
const BlockKernels* BlockKernelsF32Avx2();
const BlockKernels* BlockKernelsBf16();
const BlockKernels* BlockKernelsAmx();  // BF16 in AMX's tiles: the same roundings, sums in another order
// The faster of the two for bfloat16.
inline const BlockKernels* FastestBlockKernelsBf16() {
  const BlockKernels* const amx = BlockKernelsAmx();
  return amx != nullptr ? amx : BlockKernelsBf16();
}

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_KERNELS_H_
