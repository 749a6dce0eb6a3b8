// Sixteen floats at once in vectors of the target's width, in GCC's and Clang's vector types: the same operations on
// the same lanes whether they fill one register or two, so the same bits. a * b + c is one rounding, as the compiler
// contracts it. Included only by files compiled for AVX2 or AVX-512, with FMA; nothing here has external linkage.
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_SIXTEEN_LANES_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_SIXTEEN_LANES_H_

#include <cstdint>
#include <utility>

namespace troupe {
namespace {

constexpr int kLanes = 16;
#if defined(__AVX512F__)
constexpr int kWidth = 16;
#else
constexpr int kWidth = 8;
#endif
constexpr int kRegisters = kLanes / kWidth;

typedef float FloatVector __attribute__((vector_size(kWidth * 4)));
typedef uint32_t WordVector __attribute__((vector_size(kWidth * 4)));

#define TROUPE_LANES _Pragma("GCC unroll 2") for (int i = 0; i < kRegisters; ++i)

struct Words {
  WordVector at[kRegisters];
};

struct Lanes {
  FloatVector at[kRegisters];
};

inline Lanes Load(const float* from) {
  Lanes lanes;
  TROUPE_LANES __builtin_memcpy(&lanes.at[i], from + i * kWidth, sizeof(FloatVector));
  return lanes;
}

inline Words LoadWords(const uint32_t* from) {
  Words words;
  TROUPE_LANES __builtin_memcpy(&words.at[i], from + i * kWidth, sizeof(WordVector));
  return words;
}

inline void StoreWords(const Words& words, uint32_t* to) {
  TROUPE_LANES __builtin_memcpy(to + i * kWidth, &words.at[i], sizeof(WordVector));
}
inline void Store(const Lanes& lanes, float* to) {
  TROUPE_LANES __builtin_memcpy(to + i * kWidth, &lanes.at[i], sizeof(FloatVector));
}

// The first `count` of sixteen; the others 0.
inline Lanes LoadSome(const float* from, int64_t count) {
  if (count >= kLanes) return Load(from);
  alignas(64) float some[kLanes] = {};
  for (int64_t i = 0; i < count; ++i) some[i] = from[i];
  return Load(some);
}

inline void StoreSome(const Lanes& lanes, int64_t count, float* to) {
  if (count >= kLanes) return Store(lanes, to);
  alignas(64) float some[kLanes];
  Store(lanes, some);
  for (int64_t i = 0; i < count; ++i) to[i] = some[i];
}

inline Lanes Broadcast(float value) {
  Lanes lanes;
  TROUPE_LANES lanes.at[i] = value - FloatVector{};
  return lanes;
}

inline Words Broadcast(uint32_t value) {
  Words words;
  TROUPE_LANES words.at[i] = value - WordVector{};
  return words;
}

inline Lanes operator+(const Lanes& a, const Lanes& b) {
  Lanes sum;
  TROUPE_LANES sum.at[i] = a.at[i] + b.at[i];
  return sum;
}

inline Lanes operator-(const Lanes& a, const Lanes& b) {
  Lanes difference;
  TROUPE_LANES difference.at[i] = a.at[i] - b.at[i];
  return difference;
}

inline Lanes operator*(const Lanes& a, const Lanes& b) {
  Lanes product;
  TROUPE_LANES product.at[i] = a.at[i] * b.at[i];
  return product;
}

// a · b + c.
inline Lanes MultiplyAdd(const Lanes& a, const Lanes& b, const Lanes& c) {
  Lanes sum;
  TROUPE_LANES sum.at[i] = a.at[i] * b.at[i] + c.at[i];
  return sum;
}

// 1 / √a.
inline Lanes ReciprocalRoot(const Lanes& a) {
  alignas(64) float values[kLanes];
  Store(a, values);
  for (float& value : values) value = 1.0f / __builtin_sqrtf(value);
  return Load(values);
}

// a where it is not below 0, NaN included.
inline Lanes NotBelowZero(const Lanes& a) {
  Lanes bounded;
  TROUPE_LANES bounded.at[i] = a.at[i] < 0.0f ? FloatVector{} : a.at[i];
  return bounded;
}

// a where condition > 0, else 0.
inline Lanes WherePositive(const Lanes& condition, const Lanes& a) {
  Lanes chosen;
  TROUPE_LANES chosen.at[i] = condition.at[i] > 0.0f ? a.at[i] : FloatVector{};
  return chosen;
}

// a where `bits` has a bit of the lane's in `word`, else 0.
inline Lanes WhereSet(uint32_t word, const Words& bits, const Lanes& a) {
  Lanes chosen;
  TROUPE_LANES chosen.at[i] = (word & bits.at[i]) != 0 ? a.at[i] : FloatVector{};
  return chosen;
}

// Lane i: 1 << (first + i).
inline Words LaneBits(int first) {
  Words bits;
  for (int lane = 0; lane < kLanes; ++lane) bits.at[lane / kWidth][lane % kWidth] = uint32_t{1} << (first + lane);
  return bits;
}

// All ones in lanes `begin` to `end`, zeros in the others.
inline Words LanesFrom(int64_t begin, int64_t end) {
  Words mask;
  for (int lane = 0; lane < kLanes; ++lane) {
    mask.at[lane / kWidth][lane % kWidth] = begin <= lane && lane < end ? ~uint32_t{0} : 0;
  }
  return mask;
}

inline Lanes Mask(const Words& mask, const Lanes& a) {
  Lanes masked;
  TROUPE_LANES masked.at[i] = reinterpret_cast<FloatVector>(reinterpret_cast<WordVector>(a.at[i]) & mask.at[i]);
  return masked;
}

// The floats whose upper halves are the words' lower or upper ones: bfloat16 widened.
inline Lanes WidenLower(const Words& words) {
  Lanes floats;
  TROUPE_LANES floats.at[i] = reinterpret_cast<FloatVector>(words.at[i] << 16);
  return floats;
}

inline Lanes WidenUpper(const Words& words) {
  Lanes floats;
  TROUPE_LANES floats.at[i] = reinterpret_cast<FloatVector>(words.at[i] & 0xffff0000u);
  return floats;
}

// The inverse: both rounded to the nearest bfloat16, what is halfway away from 0; `lower` in the words' lower halves.
inline Words RoundPairs(const Lanes& lower, const Lanes& upper) {
  Words words;
  TROUPE_LANES {
    const WordVector low = reinterpret_cast<WordVector>(lower.at[i]) + 0x8000u;
    const WordVector high = reinterpret_cast<WordVector>(upper.at[i]) + 0x8000u;
    words.at[i] = (low >> 16) | (high & 0xffff0000u);
  }
  return words;
}

#if defined(__AVX512F__)
typedef uint16_t HalfVector __attribute__((vector_size(64)));

template <int kFirst, int... kHalf>
inline Words EveryOtherHalf(const Words& left, const Words& right, std::integer_sequence<int, kHalf...>) {
  const auto a = reinterpret_cast<HalfVector>(left.at[0]), b = reinterpret_cast<HalfVector>(right.at[0]);
  return {reinterpret_cast<WordVector>(__builtin_shufflevector(a, b, (2 * kHalf + kFirst)...))};
}

// The lower, or the upper, halves of all words of `left` and then of `right`.
inline Words LowerHalves(const Words& left, const Words& right) {
  return EveryOtherHalf<0>(left, right, std::make_integer_sequence<int, 2 * kLanes>());
}
inline Words UpperHalves(const Words& left, const Words& right) {
  return EveryOtherHalf<1>(left, right, std::make_integer_sequence<int, 2 * kLanes>());
}
#endif

// Where lane j of Halve finds the first of its two addends among both vectors' lanes.
constexpr int HalveSource(int j, int group) {
  constexpr int kHalf = kWidth / 2;
  const int vector = j < kHalf ? 0 : kWidth, within = j % kHalf;
  return vector + within / (group / 2) * group + within % (group / 2);
}

// Both vectors consist of groups of so many lanes: the upper half of each is added to its lower half, and what is left
// of `a` stands before what is left of `b`.
template <int kGroup, int... kLane>
inline FloatVector Halve(const FloatVector& a, const FloatVector& b, std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(a, b, HalveSource(kLane, kGroup)...) +
         __builtin_shufflevector(a, b, (HalveSource(kLane, kGroup) + kGroup / 2)...);
}

// Halves `count` vectors, two and two, until there is one.
template <int kGroup>
inline FloatVector HalveAll(FloatVector* vectors, int count) {
  if constexpr (kGroup == 1) {
    return vectors[0];
  } else {
#pragma GCC unroll 8
    for (int i = 0; i < count / 2; ++i) {
      vectors[i] = Halve<kGroup>(vectors[2 * i], vectors[2 * i + 1], std::make_integer_sequence<int, kWidth>());
    }
    return HalveAll<kGroup / 2>(vectors, count / 2);
  }
}

// Lane r is the sum of rows[r]'s lanes: lane l and l + 8, of those l and l + 4, and so on.
inline Lanes SumsOfLanes(const Lanes (&rows)[kLanes]) {
  Lanes sums;
#if defined(__AVX512F__)
  FloatVector vectors[kLanes];
#pragma GCC unroll 16
  for (int r = 0; r < kLanes; ++r) vectors[r] = rows[r].at[0];
  sums.at[0] = HalveAll<kLanes>(vectors, kLanes);
#else
  for (int half = 0; half < 2; ++half) {
    FloatVector vectors[kWidth];
#pragma GCC unroll 8
    for (int r = 0; r < kWidth; ++r) vectors[r] = rows[half * kWidth + r].at[0] + rows[half * kWidth + r].at[1];
    sums.at[half] = HalveAll<kWidth>(vectors, kWidth);
  }
#endif
  return sums;
}

#undef TROUPE_LANES

}  // namespace
}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_SIXTEEN_LANES_H_
