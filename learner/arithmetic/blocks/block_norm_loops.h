// The functions of block_norm.h over a format of sheets. Included only by files compiled for AVX2 or AVX-512, with FMA;
// nothing here has external linkage, so that no lesser processor meets these instructions.
//
// kNormRows rows at a time, which stay in the first-level cache: sums of every row in sixteen lanes, then all rows'
// sums at once, a row per lane, and what follows from them; then the rows again.
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_NORM_LOOPS_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_NORM_LOOPS_H_

#include <type_traits>

#include "learner/arithmetic/blocks/block_norm.h"
#include "learner/arithmetic/blocks/sixteen_lanes.h"

namespace troupe {
namespace {

constexpr int64_t kNormRows = kLanes;
static_assert(kBlockRows % kNormRows == 0 && kPanelColumns == 2 * kLanes);

// A panel's columns of two neighbouring rows, in halves.
struct PanelPair {
  Lanes at[2][2];  // [row][half]
};

// What two neighbouring rows of a sheet are read from and written to: a panel begins kPanel words after the last one.

// [panel, kBlockRows, 32] floats.
struct FloatSheet {
  static constexpr int64_t kPanel = kBlockRows * kPanelColumns;
  // Means and variances are of differences to the row's first value.
  static constexpr bool kShifted = true;
  static inline uint32_t* Rows(const BlockSheet& sheet, int64_t row) { return sheet.by_pair + row * kPanelColumns; }
  static inline Lanes Read(const uint32_t* from, int row, int half) {
    return Load(reinterpret_cast<const float*>(from) + row * kPanelColumns + half * kLanes);
  }
  static inline void Write(const PanelPair& pair, const BlockSheet& sheet, int64_t row, int64_t panel) {
    float* const at = reinterpret_cast<float*>(Rows(sheet, row) + panel * kPanel);
#pragma GCC unroll 2
    for (int r = 0; r < 2; ++r) {
#pragma GCC unroll 2
      for (int half = 0; half < 2; ++half) Store(pair.at[r][half], at + r * kPanelColumns + half * kLanes);
    }
  }
};

#if defined(__AVX512F__)
// [panel, kBlockRows / 2, 32, 2] bfloat16, and by_row.
struct Bf16Sheet {
  static constexpr int64_t kPanel = kBlockRows / 2 * kPanelColumns, kRowWords = kPanelColumns / 2;
  // Of eight significant bits sums of float32 lose nothing that matters.
  static constexpr bool kShifted = false;
  static inline uint32_t* Rows(const BlockSheet& sheet, int64_t row) { return sheet.by_pair + row / 2 * kPanelColumns; }
  static inline Lanes Read(const uint32_t* from, int row, int half) {
    const Words pairs = LoadWords(from + half * kLanes);
    return row == 0 ? WidenLower(pairs) : WidenUpper(pairs);
  }
  static inline void Write(const PanelPair& pair, const BlockSheet& sheet, int64_t row, int64_t panel) {
    uint32_t* const at = Rows(sheet, row) + panel * kPanel;
    const Words left = RoundPairs(pair.at[0][0], pair.at[1][0]), right = RoundPairs(pair.at[0][1], pair.at[1][1]);
    StoreWords(left, at);
    StoreWords(right, at + kLanes);
    uint32_t* const rows = sheet.by_row + (panel * kBlockRows + row) * kRowWords;
    StoreWords(LowerHalves(left, right), rows);
    StoreWords(UpperHalves(left, right), rows + kRowWords);
  }
};
#endif

// Slopes as the AVX-512 kernels note them.
struct NotedSlope {
  static inline Lanes Relu(const BlockSheet& made, int64_t place, int, const Words& bits, const Lanes& d) {
    return WhereSet(made.positive[place], bits, d);
  }
  static inline Lanes Tanh(const BlockSheet& made, int64_t place, int half, const Lanes& d) {
    return d * Load(made.slope + place * kPanelColumns + half * kLanes);
  }
};

// Slopes of the activations themselves, in a FloatSheet.
struct OwnSlope {
  static inline Lanes Made(const BlockSheet& made, int64_t place, int half) {
    return Load(reinterpret_cast<const float*>(made.by_pair) + place * kPanelColumns + half * kLanes);
  }
  static inline Lanes Relu(const BlockSheet& made, int64_t place, int half, const Words&, const Lanes& d) {
    return WherePositive(Made(made, place, half), d);
  }
  static inline Lanes Tanh(const BlockSheet& made, int64_t place, int half, const Lanes& d) {
    const Lanes h = Made(made, place, half);
    return d * MultiplyAdd(Broadcast(-1.0f) * h, h, Broadcast(1.0f));
  }
};

// The columns of a row's last panel.
struct LastColumns {
  explicit LastColumns(int64_t columns) {
    const int64_t in_panel = (columns - 1) % kPanelColumns + 1;
    masks[0] = LanesFrom(0, in_panel), masks[1] = LanesFrom(0, in_panel - kLanes);
  }
  Words masks[2];
};

// body(panel, whether it is the last, as a type).
template <typename Body>
inline void ForEachPanel(int64_t columns, Body body) {
  const int64_t last = (columns - 1) / kPanelColumns;
  for (int64_t panel = 0; panel < last; ++panel) body(panel, std::false_type());
  body(last, std::true_type());
}

// `values`, or what of them is there.
template <bool kLast>
inline Lanes Columns(std::bool_constant<kLast>, const LastColumns& last, int half, const Lanes& values) {
  return kLast ? Mask(last.masks[half], values) : values;
}

// What kNormRows rows sum up to, their first values taken off: lane l of values[r] and squares[r] of row r.
struct RowSums {
  Lanes values[kNormRows], squares[kNormRows];
  alignas(64) float firsts[kNormRows];
};

// x̂ = (x − first) · reciprocal + shift.
struct RowScales {
  alignas(64) float reciprocals[kNormRows], shifts[kNormRows];
};

inline void Scale(const RowSums& sums, int64_t columns, float epsilon, RowScales* scales) {
  const Lanes part = Broadcast(1.0f / static_cast<float>(columns));
  const Lanes sum = SumsOfLanes(sums.values), mean = sum * part;  // less the first value
  const Lanes variance = NotBelowZero((SumsOfLanes(sums.squares) - sum * mean) * part);
  const Lanes reciprocal = ReciprocalRoot(variance + Broadcast(epsilon));
  Store(reciprocal, scales->reciprocals);
  Store(Broadcast(-1.0f) * mean * reciprocal, scales->shifts);
}

inline void Count(const Lanes& difference, Lanes* values, Lanes* squares) {
  *values = *values + difference;
  *squares = MultiplyAdd(difference, difference, *squares);
}

template <typename Sheet>
void Normalize(const BlockSheet& x, int64_t rows, int64_t columns, float epsilon, const BlockSheet& to,
               float* reciprocals) {
  const LastColumns last(columns);
  for (int64_t first = 0; first < rows; first += kNormRows) {
    RowSums sums;
    for (int64_t row = 0; row < kNormRows; row += 2) {
      const uint32_t* const from = Sheet::Rows(x, first + row);
      Lanes begin[2] = {}, values[2] = {}, squares[2] = {};
      if constexpr (Sheet::kShifted) {
#pragma GCC unroll 2
        for (int r = 0; r < 2; ++r) {
          sums.firsts[row + r] = reinterpret_cast<const float*>(from)[r * kPanelColumns];
          begin[r] = Broadcast(sums.firsts[row + r]);
        }
      }
      ForEachPanel(columns, [&](int64_t panel, auto is_last) {
#pragma GCC unroll 2
        for (int r = 0; r < 2; ++r) {
#pragma GCC unroll 2
          for (int half = 0; half < 2; ++half) {
            const Lanes value = Sheet::Read(from + panel * Sheet::kPanel, r, half);
            Count(Columns(is_last, last, half, Sheet::kShifted ? value - begin[r] : value), &values[r], &squares[r]);
          }
        }
      });
#pragma GCC unroll 2
      for (int r = 0; r < 2; ++r) sums.values[row + r] = values[r], sums.squares[row + r] = squares[r];
    }
    RowScales scales;
    Scale(sums, columns, epsilon, &scales);
    Store(Load(scales.reciprocals), reciprocals + first);
    for (int64_t row = 0; row < kNormRows; row += 2) {
      const uint32_t* const from = Sheet::Rows(x, first + row);
      Lanes begin[2] = {}, reciprocal[2], shift[2];
#pragma GCC unroll 2
      for (int r = 0; r < 2; ++r) {
        if constexpr (Sheet::kShifted) begin[r] = Broadcast(sums.firsts[row + r]);
        reciprocal[r] = Broadcast(scales.reciprocals[row + r]), shift[r] = Broadcast(scales.shifts[row + r]);
      }
      ForEachPanel(columns, [&](int64_t panel, auto is_last) {
        PanelPair scaled;
#pragma GCC unroll 2
        for (int r = 0; r < 2; ++r) {
#pragma GCC unroll 2
          for (int half = 0; half < 2; ++half) {
            const Lanes value = Sheet::Read(from + panel * Sheet::kPanel, r, half);
            scaled.at[r][half] = Columns(
                is_last, last, half, MultiplyAdd(Sheet::kShifted ? value - begin[r] : value, reciprocal[r], shift[r]));
          }
        }
        Sheet::Write(scaled, to, first + row, panel);
      });
    }
  }
}

// Of rows in memory of their own nothing is read or written beyond their columns: the last sixteen overlap those before
// them, and sums leave out what they have already.
void NormalizeRows(const float* base, const int64_t* offsets, int64_t rows, int64_t columns, float epsilon, float* to) {
  const int64_t whole = columns / kLanes * kLanes, rest = columns - whole, overlap = columns - kLanes;
  const Words last = overlap > 0 ? LanesFrom(kLanes - rest, kLanes) : LanesFrom(0, rest);
  for (int64_t first = 0; first < rows; first += kNormRows) {
    const int64_t count = rows - first < kNormRows ? rows - first : kNormRows;
    const auto source = [&](int64_t r) {
      return base + (offsets == nullptr ? (first + r) * columns : offsets[first + r]);
    };
    RowSums sums = {};
    for (int64_t r = 0; r < count; ++r) {
      FetchLaterRow(base, offsets, first + r, rows, columns);
      const float* const row = source(r);
      sums.firsts[r] = row[0];
      const Lanes begin = Broadcast(row[0]);
      Lanes values = {}, squares = {};
      for (int64_t column = 0; column < whole; column += kLanes) Count(Load(row + column) - begin, &values, &squares);
      if (rest > 0) {
        const Lanes tail = overlap > 0 ? Load(row + overlap) : LoadSome(row, rest);
        Count(Mask(last, tail - begin), &values, &squares);
      }
      sums.values[r] = values, sums.squares[r] = squares;
    }
    RowScales scales;
    Scale(sums, columns, epsilon, &scales);
    for (int64_t r = 0; r < count; ++r) {
      const float* const row = source(r);
      float* const place = to + (first + r) * columns;
      const Lanes begin = Broadcast(sums.firsts[r]), reciprocal = Broadcast(scales.reciprocals[r]);
      const Lanes shift = Broadcast(scales.shifts[r]);
      const auto scaled = [&](const Lanes& x) { return MultiplyAdd(x - begin, reciprocal, shift); };
      for (int64_t column = 0; column < whole; column += kLanes) Store(scaled(Load(row + column)), place + column);
      if (rest == 0) continue;
      if (overlap > 0) {
        Store(scaled(Load(row + overlap)), place + overlap);
      } else {
        StoreSome(scaled(LoadSome(row, rest)), rest, place);
      }
    }
  }
}

// dx = r · (d − mean(d) − x̂ · mean(d ∘ x̂)), times the slope.
template <typename Sheet, typename Slope, bool kRelu>
void BackwardThrough(const BlockSheet& d, const BlockSheet& normalized, const BlockSheet& made, int64_t rows,
                     int64_t columns, const float* reciprocals) {
  const LastColumns last(columns);
  const Words bits[2] = {LaneBits(0), LaneBits(kLanes)};
  const Lanes part = Broadcast(-1.0f / static_cast<float>(columns));
  for (int64_t first = 0; first < rows; first += kNormRows) {
    Lanes sums[kNormRows], dots[kNormRows];
    for (int64_t row = 0; row < kNormRows; row += 2) {
      const uint32_t *const from = Sheet::Rows(d, first + row), *const from_x = Sheet::Rows(normalized, first + row);
      Lanes sum[2] = {}, dot[2] = {};
      ForEachPanel(columns, [&](int64_t panel, auto is_last) {
#pragma GCC unroll 2
        for (int r = 0; r < 2; ++r) {
#pragma GCC unroll 2
          for (int half = 0; half < 2; ++half) {
            const Lanes value = Columns(is_last, last, half, Sheet::Read(from + panel * Sheet::kPanel, r, half));
            sum[r] = sum[r] + value;
            dot[r] = MultiplyAdd(value, Sheet::Read(from_x + panel * Sheet::kPanel, r, half), dot[r]);
          }
        }
      });
#pragma GCC unroll 2
      for (int r = 0; r < 2; ++r) sums[row + r] = sum[r], dots[row + r] = dot[r];
    }
    const Lanes scale = Load(reciprocals + first), part_scale = scale * part;
    alignas(64) float scales[kNormRows], shifts[kNormRows], slopes[kNormRows];
    Store(scale, scales);
    Store(SumsOfLanes(sums) * part_scale, shifts);
    Store(SumsOfLanes(dots) * part_scale, slopes);
    for (int64_t row = 0; row < kNormRows; row += 2) {
      const uint32_t *const from = Sheet::Rows(d, first + row), *const from_x = Sheet::Rows(normalized, first + row);
      Lanes scale_of[2], shift[2], slope[2];
#pragma GCC unroll 2
      for (int r = 0; r < 2; ++r) {
        scale_of[r] = Broadcast(scales[row + r]), shift[r] = Broadcast(shifts[row + r]);
        slope[r] = Broadcast(slopes[row + r]);
      }
      ForEachPanel(columns, [&](int64_t panel, auto is_last) {
        PanelPair through;
#pragma GCC unroll 2
        for (int r = 0; r < 2; ++r) {
          const int64_t place = panel * kBlockRows + first + row + r;
#pragma GCC unroll 2
          for (int half = 0; half < 2; ++half) {
            const Lanes by = Sheet::Read(from + panel * Sheet::kPanel, r, half);
            const Lanes x = Sheet::Read(from_x + panel * Sheet::kPanel, r, half);
            const Lanes value = MultiplyAdd(by, scale_of[r], MultiplyAdd(x, slope[r], shift[r]));
            through.at[r][half] = Columns(
                is_last, last, half,
                kRelu ? Slope::Relu(made, place, half, bits[half], value) : Slope::Tanh(made, place, half, value));
          }
        }
        Sheet::Write(through, d, first + row, panel);
      });
    }
  }
}

template <typename Sheet, typename Slope>
void Backward(const BlockSheet& d, const BlockSheet& normalized, const BlockSheet& made, BlockActivation activation,
              int64_t rows, int64_t columns, const float* reciprocals) {
  if (activation == BlockActivation::kRelu) {
    BackwardThrough<Sheet, Slope, true>(d, normalized, made, rows, columns, reciprocals);
  } else {
    BackwardThrough<Sheet, Slope, false>(d, normalized, made, rows, columns, reciprocals);
  }
}

void Fold(const float* weight, const float* bias, const float* gain, const float* shift, int64_t inputs,
          int64_t outputs, float* folded, float* folded_bias) {
  for (int64_t o = 0; o < outputs; o += kLanes) {
    const int64_t count = outputs - o;
    Lanes sum = LoadSome(bias + o, count);
    for (int64_t i = 0; i < inputs; ++i) {
      const Lanes w = LoadSome(weight + i * outputs + o, count);
      StoreSome(w * Broadcast(gain[i]), count, folded + i * outputs + o);
      sum = MultiplyAdd(w, Broadcast(shift[i]), sum);
    }
    StoreSome(sum, count, folded_bias + o);
  }
}

void Unfold(const float* weight, const float* gain, const float* shift, int64_t inputs, int64_t outputs,
            const float* bias_gradient, float* weight_gradient, float* gain_gradient, float* shift_gradient) {
  for (int64_t first = 0; first < inputs; first += kLanes) {
    Lanes by_gain[kLanes] = {}, by_shift[kLanes] = {};
    for (int64_t i = first; i < first + kLanes && i < inputs; ++i) {
      const Lanes gain_of = Broadcast(gain[i]), shift_of = Broadcast(shift[i]);
      for (int64_t o = 0; o < outputs; o += kLanes) {
        const int64_t count = outputs - o;
        const Lanes w = LoadSome(weight + i * outputs + o, count),
                    g = LoadSome(weight_gradient + i * outputs + o, count);
        const Lanes sum = LoadSome(bias_gradient + o, count);
        by_gain[i - first] = MultiplyAdd(w, g, by_gain[i - first]);
        by_shift[i - first] = MultiplyAdd(w, sum, by_shift[i - first]);
        StoreSome(MultiplyAdd(sum, shift_of, g * gain_of), count, weight_gradient + i * outputs + o);
      }
    }
    StoreSome(SumsOfLanes(by_gain), inputs - first, gain_gradient + first);
    StoreSome(SumsOfLanes(by_shift), inputs - first, shift_gradient + first);
  }
}

template <typename Sheet, typename Slope>
constexpr BlockNorm kNormTable{std::is_same_v<Slope, OwnSlope>, &NormalizeRows, &Normalize<Sheet>,
                               &Backward<Sheet, Slope>,         &Fold,          &Unfold};

}  // namespace
}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_NORM_LOOPS_H_
