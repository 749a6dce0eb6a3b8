// The kernels of block_kernels.h over a number format. Included only by files compiled for AVX-512, and nothing here
// has external linkage, so that no other processor meets these instructions.
//
// Everything is made of 32-bit units: a float, or two neighbouring bfloat16 along the axis summed over. A product reads
// one unit of the left factor for all lanes and 32 columns of units of the right one.
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_KERNELS_AVX512_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_KERNELS_AVX512_H_

#include <immintrin.h>

#include "learner/arithmetic/blocks/avx512_math.h"
#include "learner/arithmetic/blocks/block_kernels.h"

namespace troupe {
namespace {

// Accumulators of a tile: kTileRows rows of V times 16 columns.
template <int V>
struct Tile {
  __m512 at[kTileRows][V];
};

template <typename Format>
struct Kernels {
  // Units from one panel of a sheet to the next, in either arrangement.
  static constexpr int64_t kSheetPanel = kBlockRows * Format::kUnitsPerPanel;
  static constexpr int64_t kPerUnit = kPanelColumns / Format::kUnitsPerPanel;
  static constexpr int64_t Units(int64_t count) { return (count + kPerUnit - 1) / kPerUnit; }

  // tile += a (8 rows from `a` on, by row) · w (`units` × 32 columns).
  template <int V>
  static inline void Product(const uint32_t* a, const uint32_t* w, int64_t units, Tile<V>& tile) {
    for (int64_t first = 0; first < units; first += Format::kUnitsPerPanel, a += kSheetPanel) {
      const int64_t count = units - first < Format::kUnitsPerPanel ? units - first : Format::kUnitsPerPanel;
      for (int64_t u = 0; u < count; ++u, w += kPanelColumns) {
        __m512 right[V];
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) right[v] = _mm512_loadu_ps(w + 16 * v);
#pragma GCC unroll 8
        for (int r = 0; r < kTileRows; ++r) {
          const __m512 left =
              _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(a[r * Format::kUnitsPerPanel + u])));
#pragma GCC unroll 2
          for (int v = 0; v < V; ++v) tile.at[r][v] = Format::MultiplyAdd(tile.at[r][v], left, right[v]);
        }
      }
    }
  }

  template <int V>
  static inline void Start(const float* bias, int64_t columns, Tile<V>& tile) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      const __m512 start =
          bias == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(ColumnMask(columns - 16 * v), bias + 16 * v);
#pragma GCC unroll 8
      for (int r = 0; r < kTileRows; ++r) tile.at[r][v] = start;
    }
  }

  // Writes a tile's rows into panel `panel` of `to`.
  template <int V>
  static inline void Store(const Tile<V>& tile, int64_t panel, int64_t row, const BlockSheet& to) {
    const __m512 zero = _mm512_setzero_ps();
#pragma GCC unroll 4
    for (int r = 0; r < kTileRows; r += 2) {
      const __m512 right = V > 1 ? tile.at[r][V - 1] : zero, right_below = V > 1 ? tile.at[r + 1][V - 1] : zero;
      Format::StoreRows(tile.at[r][0], right, tile.at[r + 1][0], right_below,
                        to.by_row + panel * kSheetPanel + (row + r) * Format::kUnitsPerPanel);
      Format::StorePair(tile.at[r][0], right, tile.at[r + 1][0], right_below,
                        to.by_pair + panel * kSheetPanel + (row + r) / kPerUnit * kPanelColumns);
    }
  }

  // Applies the layer's activation and notes what BackwardInput needs to know of it.
  template <int V>
  static inline void Activate(BlockActivation activation, int64_t panel, int64_t row, const BlockSheet& y,
                              Tile<V>& tile) {
#pragma GCC unroll 8
    for (int r = 0; r < kTileRows; ++r) {
      uint32_t positive = 0;
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
        __m512& value = tile.at[r][v];
        if (activation == BlockActivation::kRelu) {
          value = _mm512_max_ps(_mm512_setzero_ps(), value);  // NaN stays NaN
          positive |= static_cast<uint32_t>(_mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_GT_OQ)) << (16 * v);
        } else {
          value = Tanh(value);
          _mm512_storeu_ps(y.slope + (panel * kBlockRows + row + r) * kPanelColumns + 16 * v,
                           _mm512_fnmadd_ps(value, value, _mm512_set1_ps(1.0f)));
        }
      }
      if (activation == BlockActivation::kRelu) y.positive[panel * kBlockRows + row + r] = positive;
    }
  }

  // Times the slope of the activation that made x.
  template <int V>
  static inline void TimesSlope(BlockActivation activation, int64_t panel, int64_t row, const BlockSheet& x,
                                Tile<V>& tile) {
#pragma GCC unroll 8
    for (int r = 0; r < kTileRows; ++r) {
      const int64_t place = panel * kBlockRows + row + r;
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
        __m512& value = tile.at[r][v];
        value = activation == BlockActivation::kRelu
                    ? _mm512_maskz_mov_ps(static_cast<__mmask16>(x.positive[place] >> (16 * v)), value)
                    : _mm512_mul_ps(value, _mm512_loadu_ps(x.slope + place * kPanelColumns + 16 * v));
      }
    }
  }

  template <int V>
  static void ForwardPanel(const BlockSheet& x, int64_t rows, int64_t inputs, int64_t columns, const uint32_t* w,
                           const float* bias, BlockActivation activation, int64_t panel, const BlockSheet& y) {
    for (int64_t row = 0; row < rows; row += kTileRows) {
      Tile<V> tile;
      Start<V>(bias, columns, tile);
      Product<V>(x.by_row + row * Format::kUnitsPerPanel, w, Units(inputs), tile);
      Activate<V>(activation, panel, row, y, tile);
      Store<V>(tile, panel, row, y);
    }
  }

  template <int V>
  static void OutputPanel(const BlockSheet& x, int64_t rows, int64_t inputs, int64_t columns, const uint32_t* w,
                          const float* bias, int64_t stride, float* y) {
    for (int64_t row = 0; row < rows; row += kTileRows) {
      Tile<V> tile;
      Start<V>(bias, columns, tile);
      Product<V>(x.by_row + row * Format::kUnitsPerPanel, w, Units(inputs), tile);
      for (int r = 0; r < kTileRows && row + r < rows; ++r) {
        for (int v = 0; v < V; ++v) {
          _mm512_mask_storeu_ps(y + (row + r) * stride + 16 * v, ColumnMask(columns - 16 * v), tile.at[r][v]);
        }
      }
    }
  }

  template <int V>
  static void BackwardInputPanel(const BlockSheet& d, int64_t rows, int64_t outputs, const uint32_t* w,
                                 const BlockSheet& x, BlockActivation activation, int64_t panel, const BlockSheet& dx) {
    for (int64_t row = 0; row < rows; row += kTileRows) {
      Tile<V> tile;
      Start<V>(nullptr, 0, tile);
      Product<V>(d.by_row + row * Format::kUnitsPerPanel, w, Units(outputs), tile);
      TimesSlope<V>(activation, panel, row, x, tile);
      Store<V>(tile, panel, row, dx);
    }
  }

  // One panel of columns of the weight's gradient: xᵀ · d summed over the rows.
  template <int V>
  static void BackwardWeightPanel(const uint32_t* x, const uint32_t* d, int64_t rows, int64_t inputs, int64_t columns,
                                  int64_t stride, bool add, float* gradient, float* bias_gradient) {
    const int64_t units = Units(rows);
    for (int64_t first = 0; first < inputs; first += kTileRows) {
      const int64_t count = inputs - first < kTileRows ? inputs - first : kTileRows;
      const uint32_t* left = x + first / kPanelColumns * kSheetPanel + first % kPanelColumns;
      Tile<V> tile;
      Start<V>(nullptr, 0, tile);
      for (int64_t u = 0; u < units; ++u) {
        __m512 right[V];
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) right[v] = _mm512_loadu_ps(d + u * kPanelColumns + 16 * v);
#pragma GCC unroll 8
        for (int r = 0; r < kTileRows; ++r) {
          const __m512 unit = _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(left[u * kPanelColumns + r])));
#pragma GCC unroll 2
          for (int v = 0; v < V; ++v) tile.at[r][v] = Format::MultiplyAdd(tile.at[r][v], unit, right[v]);
        }
      }
      for (int r = 0; r < kTileRows; ++r) {
        if (r >= count) break;
        for (int v = 0; v < V; ++v)
          AddTo(gradient + (first + r) * stride + 16 * v, columns - 16 * v, add, tile.at[r][v]);
      }
    }
    BiasGradientPanel<V>(d, units, columns, add, bias_gradient);
  }

  template <int V>
  static void BiasGradientPanel(const uint32_t* d, int64_t units, int64_t columns, bool add, float* bias_gradient) {
    __m512 sums[V];
    for (int v = 0; v < V; ++v) sums[v] = _mm512_setzero_ps();
    for (int64_t u = 0; u < units; ++u) {
      for (int v = 0; v < V; ++v) {
        sums[v] = Format::MultiplyAdd(sums[v], Format::One(), _mm512_loadu_ps(d + u * kPanelColumns + 16 * v));
      }
    }
    for (int v = 0; v < V; ++v) AddTo(bias_gradient + 16 * v, columns - 16 * v, add, sums[v]);
  }

  static inline void AddTo(float* to, int64_t columns, bool add, __m512 value) {
    const __mmask16 mask = ColumnMask(columns);
    if (add) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, to));
    _mm512_mask_storeu_ps(to, mask, value);
  }

  static int64_t PackedWords(int64_t rows, int64_t columns) { return Units(rows) * PaddedColumns(columns); }

  // Packs kPanelColumns columns of `rows` rows, read 16 at a time by read(row, column of the panel, mask).
  template <typename Read>
  static inline void PackWith(int64_t rows, int64_t columns, uint32_t* packed, Read read) {
    const __mmask16 left = ColumnMask(columns), right = ColumnMask(columns - 16);
    for (int64_t row = 0; row < rows; row += kPerUnit, packed += kPanelColumns) {
      const __mmask16 below = row + 1 < rows ? 0xffff : 0;
      Format::PackUnit(read(row, 0, left), read(row, 16, right), read(row + 1, 0, left & below),
                       read(row + 1, 16, right & below), packed);
    }
  }

  // The panel of a weight [inputs, outputs] that begins at column `first`.
  static void PackPanel(const float* weight, int64_t inputs, int64_t outputs, int64_t first, uint32_t* packed) {
    PackWith(inputs, outputs - first, packed, [&](int64_t row, int64_t column, __mmask16 mask) {
      return _mm512_maskz_loadu_ps(mask, weight + row * outputs + first + column);
    });
  }

  // The same of its transpose [outputs, inputs].
  static void PackTransposedPanel(const float* weight, int64_t inputs, int64_t outputs, int64_t first,
                                  uint32_t* packed) {
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i index = _mm512_mullo_epi32(lanes, _mm512_set1_epi32(static_cast<int>(outputs)));
    PackWith(outputs, inputs - first, packed, [&](int64_t row, int64_t column, __mmask16 mask) {
      const float* const from = weight + (first + column) * outputs + row;
      return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask, index, from, 4);
    });
  }

  static void Pack(const float* weight, int64_t inputs, int64_t outputs, uint32_t* packed) {
    for (int64_t n = 0; n < outputs; n += kPanelColumns, packed += Units(inputs) * kPanelColumns) {
      PackPanel(weight, inputs, outputs, n, packed);
    }
  }

  static void PackTransposed(const float* weight, int64_t inputs, int64_t outputs, uint32_t* packed) {
    for (int64_t k = 0; k < inputs; k += kPanelColumns, packed += Units(outputs) * kPanelColumns) {
      PackTransposedPanel(weight, inputs, outputs, k, packed);
    }
  }

  static void Load(const float* base, const int64_t* offsets, int64_t rows, int64_t columns, const BlockSheet& to) {
    const auto source = [&](int64_t row) { return base + (offsets == nullptr ? row * columns : offsets[row]); };
    for (int64_t row = 0; row < PaddedRows(rows); row += 2) {
      FetchLaterRow(base, offsets, row, rows, columns);
      FetchLaterRow(base, offsets, row + 1, rows, columns);
      const float* above = row < rows ? source(row) : base;
      const float* below = row + 1 < rows ? source(row + 1) : base;
      for (int64_t column = 0; column < columns; column += kPanelColumns) {
        Tile<2> tile;
        for (int v = 0; v < 2; ++v) {
          const __mmask16 mask = ColumnMask(columns - column - 16 * v);
          tile.at[0][v] = _mm512_maskz_loadu_ps(row < rows ? mask : 0, above + column + 16 * v);
          tile.at[1][v] = _mm512_maskz_loadu_ps(row + 1 < rows ? mask : 0, below + column + 16 * v);
        }
        const int64_t panel = column / kPanelColumns * kSheetPanel;
        Format::StoreRows(tile.at[0][0], tile.at[0][1], tile.at[1][0], tile.at[1][1],
                          to.by_row + panel + row * Format::kUnitsPerPanel);
        Format::StorePair(tile.at[0][0], tile.at[0][1], tile.at[1][0], tile.at[1][1],
                          to.by_pair + panel + row / kPerUnit * kPanelColumns);
      }
    }
  }

  static void Forward(const BlockSheet& x, int64_t rows, int64_t inputs, int64_t outputs, const uint32_t* packed,
                      const float* bias, BlockActivation activation, const BlockSheet& y) {
    for (int64_t n = 0; n < outputs; n += kPanelColumns, packed += Units(inputs) * kPanelColumns) {
      const auto panel = outputs - n > 16 ? &ForwardPanel<2> : &ForwardPanel<1>;
      panel(x, rows, inputs, outputs - n, packed, bias + n, activation, n / kPanelColumns, y);
    }
  }

  static void Output(const BlockSheet& x, int64_t rows, int64_t inputs, int64_t outputs, const uint32_t* packed,
                     const float* bias, float* y) {
    for (int64_t n = 0; n < outputs; n += kPanelColumns, packed += Units(inputs) * kPanelColumns) {
      const auto panel = outputs - n > 16 ? &OutputPanel<2> : &OutputPanel<1>;
      panel(x, rows, inputs, outputs - n, packed, bias + n, outputs, y + n);
    }
  }

  static void BackwardInput(const BlockSheet& d, int64_t rows, int64_t inputs, int64_t outputs,
                            const uint32_t* transposed, const BlockSheet& x, BlockActivation activation,
                            const BlockSheet& dx) {
    for (int64_t k = 0; k < inputs; k += kPanelColumns, transposed += Units(outputs) * kPanelColumns) {
      const auto panel = inputs - k > 16 ? &BackwardInputPanel<2> : &BackwardInputPanel<1>;
      panel(d, rows, outputs, transposed, x, activation, k / kPanelColumns, dx);
    }
  }

  static void BackwardWeight(const BlockSheet& x, const BlockSheet& d, int64_t rows, int64_t inputs, int64_t outputs,
                             bool add, float* weight_gradient, float* bias_gradient) {
    for (int64_t n = 0; n < outputs; n += kPanelColumns) {
      const auto panel = outputs - n > 16 ? &BackwardWeightPanel<2> : &BackwardWeightPanel<1>;
      panel(x.by_pair, d.by_pair + n / kPanelColumns * kSheetPanel, PaddedRows(rows), inputs, outputs - n, outputs, add,
            weight_gradient + n, bias_gradient + n);
    }
  }

  static constexpr BlockKernels kTable{Format::kUnitsPerPanel * kBlockRows / kPanelColumns,
                                       Format::kRowsApart ? Format::kUnitsPerPanel* kBlockRows / kPanelColumns : 0,
                                       &PackedWords,
                                       &Pack,
                                       &PackTransposed,
                                       &Load,
                                       &Forward,
                                       &Output,
                                       &BackwardInput,
                                       &BackwardWeight};
};

}  // namespace
}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_KERNELS_AVX512_H_
