// Products of bfloat16 in AMX's tiles of 16 rows and 64 bytes, four accumulators of 16 x 16 floats at a time.
// Everything else (rounding, activations, sums of biases) is block_kernels_avx512.h's.
#if defined(__AMX_BF16__)
#include "learner/arithmetic/blocks/block_format_bf16.h"
#else
#include "learner/arithmetic/blocks/block_kernels.h"
#endif
#include <atomic>

#include "learner/arithmetic/host/cpu_features.h"

namespace troupe {
#if defined(__AMX_BF16__)
namespace {

using Avx512 = Kernels<Bf16>;

constexpr int64_t kAmxRows = 16;                    // of a tile
constexpr int64_t kAmxUnits = 16;                   // pairs of bfloat16 summed over at once
constexpr int64_t kStripRows = 2 * kAmxRows;        // computed at once, kPanelColumns wide
constexpr int64_t kUnitsPerBlock = kBlockRows / 2;  // of a block's rows, where those are summed over
constexpr int64_t kSheetPanel = Avx512::kSheetPanel;
static_assert(kBlockRows % kStripRows == 0 && kPanelColumns == 2 * kAmxRows && Bf16::kUnitsPerPanel == kAmxUnits);

// The tiles' shapes, as LDTILECFG reads them.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes_per_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// While it lives the calling thread's tiles are of use.
class Tiles {
 public:
  Tiles() {
    static constexpr TileShapes kShapes;
    _tile_loadconfig(&kShapes);
  }
  ~Tiles() { _tile_release(); }
};

// What is summed over, padded to whole tiles; packed matrices have zeros there.
int64_t PaddedUnits(int64_t count) { return (Avx512::Units(count) + kAmxUnits - 1) / kAmxUnits * kAmxUnits; }

// A strip of kStripRows x kPanelColumns sums.
struct alignas(64) Strip {
  float at[kStripRows][kPanelColumns];

  template <int V>
  Tile<V> Rows(int64_t first) const {
    Tile<V> tile;
    for (int r = 0; r < kTileRows; ++r) {
      for (int v = 0; v < V; ++v) tile.at[r][v] = _mm512_load_ps(at[first + r] + 16 * v);
    }
    return tile;
  }
};

// strip = a · w over `steps` tiles. Rows of `a` are 64 bytes and `a_below` holds the lower ones; rows of `w` are
// kPanelColumns units. V = 1 leaves the right half out.
template <int V>
inline void MultiplyStrip(const uint32_t* a, const uint32_t* a_below, int64_t a_step, const uint32_t* w, int64_t steps,
                          Strip* strip) {
  constexpr int kRowBytes = 64, kUnitRowBytes = kPanelColumns * 4;
  std::atomic_signal_fence(std::memory_order_seq_cst);  // GCC does not know that tiles are loaded from memory
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t step = 0; step < steps; ++step) {
    _tile_loadd(4, a + step * a_step, kRowBytes);
    _tile_loadd(5, a_below + step * a_step, kRowBytes);
    const uint32_t* const right = w + step * kAmxUnits * kPanelColumns;
    _tile_loadd(6, right, kUnitRowBytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(2, 5, 6);
    if (V == 1) continue;
    _tile_loadd(7, right + 16, kUnitRowBytes);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(3, 5, 7);
  }
  constexpr int kStripRowBytes = kPanelColumns * 4;
  _tile_stored(0, &strip->at[0][0], kStripRowBytes);
  _tile_stored(2, &strip->at[kAmxRows][0], kStripRowBytes);
  if (V == 1) return;
  _tile_stored(1, &strip->at[0][16], kStripRowBytes);
  _tile_stored(3, &strip->at[kAmxRows][16], kStripRowBytes);
}

// The rows of a sheet times one packed panel: finish(row, tile) for every kTileRows of them.
template <int V, typename Finish>
inline void MultiplyRows(const BlockSheet& x, int64_t rows, int64_t units, const uint32_t* w, Finish finish) {
  Strip strip;
  for (int64_t first = 0; first < rows; first += kStripRows) {
    const uint32_t* const a = x.by_row + first * Bf16::kUnitsPerPanel;
    MultiplyStrip<V>(a, a + kAmxRows * Bf16::kUnitsPerPanel, kSheetPanel, w, units / kAmxUnits, &strip);
    for (int64_t row = first; row < rows && row < first + kStripRows; row += kTileRows) {
      Tile<V> tile = strip.Rows<V>(row - first);
      finish(row, tile);
    }
  }
}

template <int V>
inline void AddBias(const float* bias, int64_t columns, Tile<V>& tile) {
  for (int v = 0; v < V; ++v) {
    const __m512 start = _mm512_maskz_loadu_ps(ColumnMask(columns - 16 * v), bias + 16 * v);
    for (int r = 0; r < kTileRows; ++r) tile.at[r][v] = _mm512_add_ps(tile.at[r][v], start);
  }
}

// body.template operator()<V>(panel's first column, its columns).
template <typename Body>
inline void ForEachPanel(int64_t columns, Body body) {
  for (int64_t n = 0; n < columns; n += kPanelColumns) {
    if (columns - n > 16) {
      body.template operator()<2>(n, columns - n);
    } else {
      body.template operator()<1>(n, columns - n);
    }
  }
}

void Forward(const BlockSheet& x, int64_t rows, int64_t inputs, int64_t outputs, const uint32_t* packed,
             const float* bias, BlockActivation activation, const BlockSheet& y) {
  const Tiles tiles;
  const int64_t units = PaddedUnits(inputs);
  ForEachPanel(outputs, [&]<int V>(int64_t n, int64_t columns) {
    MultiplyRows<V>(x, rows, units, packed + n * units, [&](int64_t row, Tile<V>& tile) {
      AddBias(bias + n, columns, tile);
      Avx512::Activate<V>(activation, n / kPanelColumns, row, y, tile);
      Avx512::Store<V>(tile, n / kPanelColumns, row, y);
    });
  });
}

void Output(const BlockSheet& x, int64_t rows, int64_t inputs, int64_t outputs, const uint32_t* packed,
            const float* bias, float* y) {
  const Tiles tiles;
  const int64_t units = PaddedUnits(inputs);
  ForEachPanel(outputs, [&]<int V>(int64_t n, int64_t columns) {
    MultiplyRows<V>(x, rows, units, packed + n * units, [&](int64_t row, Tile<V>& tile) {
      AddBias(bias + n, columns, tile);
      for (int r = 0; r < kTileRows && row + r < rows; ++r) {
        for (int v = 0; v < V; ++v) {
          _mm512_mask_storeu_ps(y + (row + r) * outputs + n + 16 * v, ColumnMask(columns - 16 * v), tile.at[r][v]);
        }
      }
    });
  });
}

void BackwardInput(const BlockSheet& d, int64_t rows, int64_t inputs, int64_t outputs, const uint32_t* transposed,
                   const BlockSheet& x, BlockActivation activation, const BlockSheet& dx) {
  const Tiles tiles;
  const int64_t units = PaddedUnits(outputs);
  ForEachPanel(inputs, [&]<int V>(int64_t k, int64_t) {
    MultiplyRows<V>(d, rows, units, transposed + k * units, [&](int64_t row, Tile<V>& tile) {
      Avx512::TimesSlope<V>(activation, k / kPanelColumns, row, x, tile);
      Avx512::Store<V>(tile, k / kPanelColumns, row, dx);
    });
  });
}

// to[16][16] = from[16][16]ᵀ, from's rows kPanelColumns apart.
inline void Transpose(const uint32_t* from, uint32_t* to) {
  __m512i rows[16], pairs[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) rows[i] = _mm512_loadu_si512(from + i * kPanelColumns);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    rows[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    rows[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    rows[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    rows[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  // rows[4 i + j], lane l of four: column 4 l + j of rows 4 i … 4 i + 3.
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const __m512i a = _mm512_shuffle_i32x4(rows[j], rows[4 + j], 0x88);
    const __m512i b = _mm512_shuffle_i32x4(rows[8 + j], rows[12 + j], 0x88);
    const __m512i c = _mm512_shuffle_i32x4(rows[j], rows[4 + j], 0xdd);
    const __m512i e = _mm512_shuffle_i32x4(rows[8 + j], rows[12 + j], 0xdd);
    _mm512_store_si512(to + j * 16, _mm512_shuffle_i32x4(a, b, 0x88));
    _mm512_store_si512(to + (8 + j) * 16, _mm512_shuffle_i32x4(a, b, 0xdd));
    _mm512_store_si512(to + (4 + j) * 16, _mm512_shuffle_i32x4(c, e, 0x88));
    _mm512_store_si512(to + (12 + j) * 16, _mm512_shuffle_i32x4(c, e, 0xdd));
  }
}

// Zeros from row pair `units` on, to whole tiles, in every panel.
void ClearTail(const BlockSheet& sheet, int64_t columns, int64_t units, int64_t padded) {
  for (int64_t column = 0; column < columns; column += kPanelColumns) {
    uint32_t* const panel = sheet.by_pair + column / kPanelColumns * kSheetPanel;
    for (int64_t at = units * kPanelColumns; at < padded * kPanelColumns; at += 16) {
      _mm512_storeu_si512(panel + at, _mm512_setzero_si512());
    }
  }
}

void BackwardWeight(const BlockSheet& x, const BlockSheet& d, int64_t rows, int64_t inputs, int64_t outputs, bool add,
                    float* weight_gradient, float* bias_gradient) {
  const Tiles tiles;
  const int64_t units = PaddedRows(rows) / 2, padded = (units + kAmxUnits - 1) / kAmxUnits * kAmxUnits;
  ClearTail(x, inputs, units, padded);
  ClearTail(d, outputs, units, padded);
  // A panel of x, transposed: [padded / 16][32 columns][16 units].
  alignas(64) uint32_t left[kUnitsPerBlock / kAmxUnits][kPanelColumns][kAmxUnits];
  Strip strip;
  for (int64_t k = 0; k < inputs; k += kPanelColumns) {
    const uint32_t* const panel = x.by_pair + k / kPanelColumns * kSheetPanel;
    for (int64_t u = 0; u < padded; u += kAmxUnits) {
      Transpose(panel + u * kPanelColumns, left[u / kAmxUnits][0]);
      Transpose(panel + u * kPanelColumns + 16, left[u / kAmxUnits][16]);
    }
    ForEachPanel(outputs, [&]<int V>(int64_t n, int64_t columns) {
      MultiplyStrip<V>(left[0][0], left[0][16], kPanelColumns * kAmxUnits, d.by_pair + n / kPanelColumns * kSheetPanel,
                       padded / kAmxUnits, &strip);
      for (int64_t r = 0; r < kPanelColumns && k + r < inputs; ++r) {
        for (int v = 0; v < V; ++v) {
          Avx512::AddTo(weight_gradient + (k + r) * outputs + n + 16 * v, columns - 16 * v, add,
                        _mm512_load_ps(strip.at[r] + 16 * v));
        }
      }
    });
  }
  ForEachPanel(outputs, [&]<int V>(int64_t n, int64_t columns) {
    Avx512::BiasGradientPanel<V>(d.by_pair + n / kPanelColumns * kSheetPanel, units, columns, add, bias_gradient + n);
  });
}

int64_t PackedWords(int64_t rows, int64_t columns) { return PaddedUnits(rows) * PaddedColumns(columns); }

// As Avx512's, each panel followed by zeros up to whole tiles.
template <typename PackPanel>
void PackPanels(int64_t rows, int64_t columns, uint32_t* packed, PackPanel pack_panel) {
  const int64_t units = Avx512::Units(rows) * kPanelColumns, padded = PaddedUnits(rows) * kPanelColumns;
  for (int64_t column = 0; column < columns; column += kPanelColumns, packed += padded) {
    pack_panel(column, packed);
    for (int64_t at = units; at < padded; at += 16) _mm512_storeu_si512(packed + at, _mm512_setzero_si512());
  }
}

void Pack(const float* weight, int64_t inputs, int64_t outputs, uint32_t* packed) {
  PackPanels(inputs, outputs, packed,
             [&](int64_t column, uint32_t* to) { Avx512::PackPanel(weight, inputs, outputs, column, to); });
}

void PackTransposed(const float* weight, int64_t inputs, int64_t outputs, uint32_t* packed) {
  PackPanels(outputs, inputs, packed,
             [&](int64_t column, uint32_t* to) { Avx512::PackTransposedPanel(weight, inputs, outputs, column, to); });
}

constexpr BlockKernels kTable{Avx512::kTable.pair_words,
                              Avx512::kTable.row_words,
                              &PackedWords,
                              &Pack,
                              &PackTransposed,
                              &Avx512::Load,
                              &Forward,
                              &Output,
                              &BackwardInput,
                              &BackwardWeight};

}  // namespace

const BlockKernels* BlockKernelsAmx() { return CpuHasAmxBf16() ? &kTable : nullptr; }
#else
const BlockKernels* BlockKernelsAmx() { return nullptr; }
#endif
}  // namespace troupe
