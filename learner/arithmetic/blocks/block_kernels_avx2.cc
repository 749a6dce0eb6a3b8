// Products of float32 in AVX2 and FMA, for processors without AVX-512. A sheet is [panel, kBlockRows, 32] floats.
//
// Tiles are six rows (at an edge four) by sixteen columns, half a panel: twelve sums keep both multipliers busy for as
// long as a multiplication takes, and leave of sixteen registers what the factors need. Every sum is added up in the
// order of block_kernels_avx512.h, so that both give the same bits.
#include "learner/arithmetic/blocks/block_kernels.h"
#include "learner/arithmetic/host/cpu_features.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#endif

namespace troupe {
#if defined(__AVX2__) && defined(__FMA__)
namespace {

constexpr int64_t kLanes = 8, kHalfPanel = 16;
constexpr int64_t kSheetPanel = kBlockRows * kPanelColumns;  // floats from one panel of a sheet to the next
static_assert(kPanelColumns == 2 * kHalfPanel && kTileRows % 4 == 0);

// Not std::min: nothing here may have external linkage, so that no lesser processor meets these instructions.
inline int64_t Lesser(int64_t a, int64_t b) { return a < b ? a : b; }

float* Floats(uint32_t* words) { return reinterpret_cast<float*>(words); }
const float* Floats(const uint32_t* words) { return reinterpret_cast<const float*>(words); }

struct Pair {
  __m256 at[2];
};

template <int R>
struct Tile {
  __m256 at[R][2];
};

// The first `columns` of eight lanes.
inline __m256i ColumnMask(int64_t columns) {
  const auto bound = static_cast<int>(Lesser(columns, kLanes));
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(bound), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// `columns` floats, zeros after them.
inline __m256 LoadColumns(const float* from, int64_t columns) {
  return columns >= kLanes ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, ColumnMask(columns));
}

inline void StoreColumns(float* to, int64_t columns, __m256 value) {
  if (columns >= kLanes) {
    _mm256_storeu_ps(to, value);
    return;
  }
  alignas(32) float lanes[kLanes];
  _mm256_store_ps(lanes, value);
  for (int64_t c = 0; c < columns; ++c) to[c] = lanes[c];
}

inline void AddTo(float* to, int64_t columns, bool add, __m256 value) {
  if (add) value = _mm256_add_ps(value, LoadColumns(to, columns));
  StoreColumns(to, columns, value);
}

inline Pair LoadPair(const float* from, int64_t columns) {
  return {LoadColumns(from, columns), LoadColumns(from + kLanes, columns - kLanes)};
}

// e^x for x in [-87, 88], as avx512_math.h has it. NaN gives NaN.
inline __m256 Exp(__m256 x) {
  const __m256 n =
      _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m256 high = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), x);
  const __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), high);
  constexpr float kTaylor[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
  __m256 series = _mm256_set1_ps(1.0f / 5040);
  for (const float next : kTaylor) series = _mm256_fmadd_ps(series, r, _mm256_set1_ps(next));
  const __m256i power = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
  return _mm256_mul_ps(series, _mm256_castsi256_ps(power));
}

// Absolute error below 2e-7. NaN gives NaN.
inline __m256 Tanh(__m256 x) {
  const __m256 sign = _mm256_set1_ps(-0.0f), one = _mm256_set1_ps(1.0f);
  const __m256 magnitude = _mm256_min_ps(_mm256_set1_ps(10.0f), _mm256_andnot_ps(sign, x));
  const __m256 e = Exp(_mm256_add_ps(magnitude, magnitude));
  const __m256 size = _mm256_sub_ps(one, _mm256_div_ps(_mm256_set1_ps(2.0f), _mm256_add_ps(e, one)));
  return _mm256_or_ps(size, _mm256_and_ps(sign, x));
}

// body.template operator()<R>(first of R) for tiles that cover `count`; at most three more than that, and none more if
// count is a multiple of kTileRows.
template <typename Body>
inline void ForEachTile(int64_t count, Body body) {
  for (int64_t first = 0; first < count;) {
    const int64_t left = count - first;
    if (left > 8 || left == 5 || left == 6) {
      body.template operator()<6>(first);
      first += 6;
    } else {
      body.template operator()<4>(first);
      first += 4;
    }
  }
}

// body(first column, columns from there on) for every half panel that holds any of `columns`.
template <typename Body>
inline void ForEachHalfPanel(int64_t columns, Body body) {
  for (int64_t first = 0; first < columns; first += kHalfPanel) body(first, columns - first);
}

// Where half a panel that begins at `column` has row 0.
inline int64_t PlaceInSheet(int64_t column) { return column / kPanelColumns * kSheetPanel + column % kPanelColumns; }

template <int R>
inline void Start(const Pair& start, Tile<R>& tile) {
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) tile.at[r][0] = start.at[0], tile.at[r][1] = start.at[1];
}

// tile += one column of the left factor, its R values left_stride apart, times one row of the right one.
template <int R>
inline void MultiplyAdd(const float* left, int64_t left_stride, const float* right, Tile<R>& tile) {
  const __m256 right_0 = _mm256_load_ps(right), right_1 = _mm256_load_ps(right + kLanes);
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
    const __m256 value = _mm256_broadcast_ss(left + r * left_stride);
    tile.at[r][0] = _mm256_fmadd_ps(value, right_0, tile.at[r][0]);
    tile.at[r][1] = _mm256_fmadd_ps(value, right_1, tile.at[r][1]);
  }
}

// tile += R rows of a sheet from `a` on, `depth` columns wide, times half a packed panel.
template <int R>
inline void Product(const float* a, const float* w, int64_t depth, Tile<R>& tile) {
  for (int64_t first = 0; first < depth; first += kPanelColumns, a += kSheetPanel) {
    const int64_t count = Lesser(kPanelColumns, depth - first);
    for (int64_t u = 0; u < count; ++u, w += kPanelColumns) MultiplyAdd<R>(a + u, kPanelColumns, w, tile);
  }
}

template <int R>
inline void Activate(BlockActivation activation, Tile<R>& tile) {
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      __m256& value = tile.at[r][v];
      value = activation == BlockActivation::kRelu ? _mm256_max_ps(_mm256_setzero_ps(), value) : Tanh(value);
    }
  }
}

// Times the slope of the activation that made the rows at `h`.
template <int R>
inline void TimesSlope(BlockActivation activation, const float* h, Tile<R>& tile) {
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      const __m256 made = _mm256_load_ps(h + r * kPanelColumns + v * kLanes);
      __m256& value = tile.at[r][v];
      value = activation == BlockActivation::kRelu
                  ? _mm256_and_ps(value, _mm256_cmp_ps(made, _mm256_setzero_ps(), _CMP_GT_OQ))
                  : _mm256_mul_ps(value, _mm256_fnmadd_ps(made, made, _mm256_set1_ps(1.0f)));
    }
  }
}

template <int R>
inline void Store(const Tile<R>& tile, float* to) {
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
    _mm256_store_ps(to + r * kPanelColumns, tile.at[r][0]);
    _mm256_store_ps(to + r * kPanelColumns + kLanes, tile.at[r][1]);
  }
}

int64_t PackedWords(int64_t rows, int64_t columns) { return rows * PaddedColumns(columns); }

// Half a packed panel of a matrix of `depth` rows that begins at `column`.
const float* PackedHalf(const uint32_t* packed, int64_t depth, int64_t column) {
  return Floats(packed) + column / kPanelColumns * kPanelColumns * depth + column % kPanelColumns;
}

void Pack(const float* weight, int64_t inputs, int64_t outputs, uint32_t* packed) {
  float* to = Floats(packed);
  for (int64_t n = 0; n < outputs; n += kPanelColumns) {
    for (int64_t row = 0; row < inputs; ++row, to += kPanelColumns) {
      for (int64_t c = 0; c < kPanelColumns; c += kLanes) {
        _mm256_store_ps(to + c, LoadColumns(weight + row * outputs + n + c, outputs - n - c));
      }
    }
  }
}

// rows[i][j] and rows[j][i] change places.
inline void Transpose(__m256 (&rows)[kLanes]) {
  __m256 pairs[kLanes], quads[kLanes];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    quads[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
    quads[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
    quads[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
    quads[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    rows[i] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x20);
    rows[i + 4] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x31);
  }
}

void PackTransposed(const float* weight, int64_t inputs, int64_t outputs, uint32_t* packed) {
  float* panel = Floats(packed);
  for (int64_t k = 0; k < inputs; k += kPanelColumns, panel += outputs * kPanelColumns) {
    for (int64_t o = 0; o < outputs; o += kLanes) {
      for (int64_t c = 0; c < kPanelColumns; c += kLanes) {
        __m256 square[kLanes];
        for (int64_t i = 0; i < kLanes; ++i) {
          const int64_t row = k + c + i;
          square[i] = row < inputs ? LoadColumns(weight + row * outputs + o, outputs - o) : _mm256_setzero_ps();
        }
        Transpose(square);
        for (int64_t i = 0; i < Lesser(kLanes, outputs - o); ++i) {
          _mm256_store_ps(panel + (o + i) * kPanelColumns + c, square[i]);
        }
      }
    }
  }
}

void Load(const float* base, const int64_t* offsets, int64_t rows, int64_t columns, const BlockSheet& to) {
  for (int64_t row = 0; row < PaddedRows(rows); ++row) {
    FetchLaterRow(base, offsets, row, rows, columns);
    const int64_t there = row < rows ? columns : 0;
    const float* const from = row >= rows ? base : base + (offsets == nullptr ? row * columns : offsets[row]);
    for (int64_t column = 0; column < PaddedColumns(columns); column += kLanes) {
      // Nothing is read where nothing is there, nor a pointer made to it.
      const __m256 value = column < there ? LoadColumns(from + column, there - column) : _mm256_setzero_ps();
      _mm256_store_ps(Floats(to.by_pair) + PlaceInSheet(column) + row * kPanelColumns, value);
    }
  }
}

void Forward(const BlockSheet& x, int64_t rows, int64_t inputs, int64_t outputs, const uint32_t* packed,
             const float* bias, BlockActivation activation, const BlockSheet& y) {
  ForEachHalfPanel(outputs, [&](int64_t n, int64_t columns) {
    const Pair start = LoadPair(bias + n, columns);
    const float* const w = PackedHalf(packed, inputs, n);
    float* const to = Floats(y.by_pair) + PlaceInSheet(n);
    ForEachTile(PaddedRows(rows), [&]<int R>(int64_t row) {
      Tile<R> tile;
      Start<R>(start, tile);
      Product<R>(Floats(x.by_pair) + row * kPanelColumns, w, inputs, tile);
      Activate<R>(activation, tile);
      Store<R>(tile, to + row * kPanelColumns);
    });
  });
}

void Output(const BlockSheet& x, int64_t rows, int64_t inputs, int64_t outputs, const uint32_t* packed,
            const float* bias, float* y) {
  ForEachHalfPanel(outputs, [&](int64_t n, int64_t columns) {
    const Pair start = LoadPair(bias + n, columns);
    const float* const w = PackedHalf(packed, inputs, n);
    ForEachTile(PaddedRows(rows), [&]<int R>(int64_t row) {
      Tile<R> tile;
      Start<R>(start, tile);
      Product<R>(Floats(x.by_pair) + row * kPanelColumns, w, inputs, tile);
#pragma GCC unroll 6
      for (int r = 0; r < R; ++r) {
        if (row + r >= rows) break;
        float* const to = y + (row + r) * outputs + n;
        StoreColumns(to, columns, tile.at[r][0]);
        StoreColumns(to + kLanes, columns - kLanes, tile.at[r][1]);
      }
    });
  });
}

void BackwardInput(const BlockSheet& d, int64_t rows, int64_t inputs, int64_t outputs, const uint32_t* transposed,
                   const BlockSheet& x, BlockActivation activation, const BlockSheet& dx) {
  ForEachHalfPanel(inputs, [&](int64_t k, int64_t) {
    const float* const w = PackedHalf(transposed, outputs, k);
    ForEachTile(PaddedRows(rows), [&]<int R>(int64_t row) {
      const int64_t place = PlaceInSheet(k) + row * kPanelColumns;
      Tile<R> tile;
      Start<R>({_mm256_setzero_ps(), _mm256_setzero_ps()}, tile);
      Product<R>(Floats(d.by_pair) + row * kPanelColumns, w, outputs, tile);
      TimesSlope<R>(activation, Floats(x.by_pair) + place, tile);
      Store<R>(tile, Floats(dx.by_pair) + place);
    });
  });
}

void BackwardWeight(const BlockSheet& x, const BlockSheet& d, int64_t rows, int64_t inputs, int64_t outputs, bool add,
                    float* weight_gradient, float* bias_gradient) {
  const int64_t depth = PaddedRows(rows);
  ForEachHalfPanel(outputs, [&](int64_t n, int64_t columns) {
    const float* const right = Floats(d.by_pair) + PlaceInSheet(n);
    for (int64_t k = 0; k < inputs; k += kPanelColumns) {
      const int64_t in_panel = Lesser(kPanelColumns, inputs - k);
      ForEachTile(in_panel, [&]<int R>(int64_t first) {
        const float* const left = Floats(x.by_pair) + PlaceInSheet(k) + first;
        Tile<R> tile;
        Start<R>({_mm256_setzero_ps(), _mm256_setzero_ps()}, tile);
        for (int64_t u = 0; u < depth; ++u)
          MultiplyAdd<R>(left + u * kPanelColumns, 1, right + u * kPanelColumns, tile);
#pragma GCC unroll 6
        for (int r = 0; r < R; ++r) {
          if (first + r >= in_panel) break;
          float* const to = weight_gradient + (k + first + r) * outputs + n;
          AddTo(to, columns, add, tile.at[r][0]);
          AddTo(to + kLanes, columns - kLanes, add, tile.at[r][1]);
        }
      });
    }
    Pair sums = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    for (int64_t u = 0; u < depth; ++u) {
      sums.at[0] = _mm256_add_ps(sums.at[0], _mm256_load_ps(right + u * kPanelColumns));
      sums.at[1] = _mm256_add_ps(sums.at[1], _mm256_load_ps(right + u * kPanelColumns + kLanes));
    }
    AddTo(bias_gradient + n, columns, add, sums.at[0]);
    AddTo(bias_gradient + n + kLanes, columns - kLanes, add, sums.at[1]);
  });
}

constexpr BlockKernels kTable{.pair_words = kBlockRows,
                              .row_words = 0,
                              .packed_words = &PackedWords,
                              .pack = &Pack,
                              .pack_transposed = &PackTransposed,
                              .load = &Load,
                              .forward = &Forward,
                              .output = &Output,
                              .backward_input = &BackwardInput,
                              .backward_weight = &BackwardWeight};

}  // namespace

const BlockKernels* BlockKernelsF32Avx2() { return CpuHasAvx2() ? &kTable : nullptr; }
#else
const BlockKernels* BlockKernelsF32Avx2() { return nullptr; }
#endif

}  // namespace troupe
