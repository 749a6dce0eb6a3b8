#include "actor_worker/acting/kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/specs/policy_spec.h"

// ISO C++ mode would keep GCC from fusing multiply and add.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3,fp-contract=fast")
#pragma GCC diagnostic ignored "-Wpsabi"
#endif
#define TROUPE_INLINE inline __attribute__((always_inline))

namespace troupe {
namespace {

template <int kBytes>
struct Lanes {
  typedef float Float __attribute__((vector_size(kBytes), aligned(4), may_alias));
  typedef int32_t Int __attribute__((vector_size(kBytes), aligned(4), may_alias));
  static constexpr int kCount = kBytes / 4;
};

// One register tile: kRows rows by kVectors vectors of outputs.
template <int kBytes, int kVectors, int kRows>
TROUPE_INLINE void DenseTile(const DenseLayerCall& call, int row, int column, const float* panel) {
  using Float = typename Lanes<kBytes>::Float;
  constexpr int kCount = Lanes<kBytes>::kCount;
  const float* const input = call.input + row * call.input_stride;
  const int64_t stride = call.input_stride;
  Float sums[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = *reinterpret_cast<const Float*>(call.biases + column + v * kCount);
    }
  }
  for (int k = 0; k < call.inputs; ++k) {
    Float weights[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      weights[v] = *reinterpret_cast<const Float*>(panel + (k * kVectors + v) * kCount);
    }
    for (int r = 0; r < kRows; ++r) {
      const float x = input[r * stride + k];
      for (int v = 0; v < kVectors; ++v) sums[r][v] = weights[v] * x + sums[r][v];
    }
  }
  for (int r = 0; r < kRows; ++r) {
    float* const output = call.output + (row + r) * call.output_stride + column;
    for (int v = 0; v < kVectors; ++v) {
      Float sum = sums[r][v];
      if (call.relu) sum = sum > 0 ? sum : Float{};
      *reinterpret_cast<Float*>(output + v * kCount) = sum;
    }
  }
}

template <int kBytes, int kVectors, int kRows, int kFewRows>
TROUPE_INLINE void DensePanel(const DenseLayerCall& call, int column, const float* panel) {
  int row = 0;
  for (; row + kRows <= call.rows; row += kRows) DenseTile<kBytes, kVectors, kRows>(call, row, column, panel);
  for (; row + kFewRows <= call.rows; row += kFewRows) DenseTile<kBytes, kVectors, kFewRows>(call, row, column, panel);
  for (; row < call.rows; ++row) DenseTile<kBytes, kVectors, 1>(call, row, column, panel);
}

template <int kBytes, int kRows, int kFewRows>
TROUPE_INLINE void DenseLayer(const DenseLayerCall& call) {
  constexpr int kCount = Lanes<kBytes>::kCount;
  int column = 0;
  for (; column + 2 * kCount <= call.padded_outputs; column += 2 * kCount) {
    DensePanel<kBytes, 2, kRows, kFewRows>(call, column, call.weights + int64_t{column} * call.inputs);
  }
  for (; column < call.padded_outputs; column += kCount) {
    DensePanel<kBytes, 1, kRows, kFewRows>(call, column, call.weights + int64_t{column} * call.inputs);
  }
}

// e^x = 2^n · e^r with |r| ≤ ln 2 / 2, where the Taylor polynomial of degree 7 is exact to a rounding.
template <int kBytes>
TROUPE_INLINE void ExponentialOf(typename Lanes<kBytes>::Float& x) {
  using Float = typename Lanes<kBytes>::Float;
  using Int = typename Lanes<kBytes>::Int;
  const Float low = Float{} - 87.0f, high = Float{} + 88.0f;
  x = x < low ? low : x;
  x = x > high ? high : x;
  const Float rounder = Float{} + 12582912.0f;  // 1.5 · 2^23: adding it leaves the nearest integer
  const Float shifted = x * 1.44269504f + rounder;
  const Float n = shifted - rounder;
  Float r = x - n * 0.693359375f;  // ln 2 in two parts, the first with few bits
  r = r - n * -2.12194440e-4f;
  Float sum = r * (1.0f / 5040) + (1.0f / 720);
  sum = sum * r + (1.0f / 120);
  sum = sum * r + (1.0f / 24);
  sum = sum * r + (1.0f / 6);
  sum = sum * r + 0.5f;
  sum = sum * r + 1.0f;
  sum = sum * r + 1.0f;
  const Int exponent = (__builtin_convertvector(n, Int) + 127) << 23;
  Float scale;
  std::memcpy(&scale, &exponent, sizeof scale);
  x = sum * scale;
}

template <int kBytes>
TROUPE_INLINE void Exponential(float* values, int64_t count) {
  using Float = typename Lanes<kBytes>::Float;
  for (int64_t i = 0; i < count; i += Lanes<kBytes>::kCount) {
    Float x = *reinterpret_cast<Float*>(values + i);
    ExponentialOf<kBytes>(x);
    *reinterpret_cast<Float*>(values + i) = x;
  }
}

// Small arguments: Lambert's continued fraction, seven levels. Others: 1 − 2 / (e^(2|x|) + 1) with x's sign.
template <int kBytes>
TROUPE_INLINE void HyperbolicTangent(float* values, int64_t count) {
  using Float = typename Lanes<kBytes>::Float;
  for (int64_t i = 0; i < count; i += Lanes<kBytes>::kCount) {
    const Float x = *reinterpret_cast<Float*>(values + i);
    const Float square = x * x;
    const Float small = x * (((square + 378.0f) * square + 17325.0f) * square + 135135.0f) /
                        (((square * 28.0f + 3150.0f) * square + 62370.0f) * square + 135135.0f);
    const Float magnitude = x < 0 ? -x : x;
    Float power = magnitude * 2.0f;
    ExponentialOf<kBytes>(power);
    const Float large = 1.0f - 2.0f / (power + 1.0f);
    const Float signed_large = x < 0 ? -large : large;
    *reinterpret_cast<Float*>(values + i) = magnitude < 0.625f ? small : signed_large;
  }
}

template <int kBytes>
TROUPE_INLINE void LayerNorm(const float* input, int size, const float* gain, const float* bias, float* output) {
  using Float = typename Lanes<kBytes>::Float;
  constexpr int kCount = Lanes<kBytes>::kCount;
  const int whole = size / kCount * kCount;
  Float sums = {};
  for (int i = 0; i < whole; i += kCount) sums += *reinterpret_cast<const Float*>(input + i);
  float sum = 0;
  for (int i = 0; i < kCount; ++i) sum += sums[i];
  for (int i = whole; i < size; ++i) sum += input[i];
  const float mean = sum / size;
  Float squares = {};
  for (int i = 0; i < whole; i += kCount) {
    const Float d = *reinterpret_cast<const Float*>(input + i) - mean;
    squares += d * d;
  }
  float square = 0;
  for (int i = 0; i < kCount; ++i) square += squares[i];
  for (int i = whole; i < size; ++i) square += (input[i] - mean) * (input[i] - mean);
  const float scale = 1.0f / std::sqrt(square / size + kLayerNormEpsilon);
  for (int i = 0; i < whole; i += kCount) {
    const Float d = (*reinterpret_cast<const Float*>(input + i) - mean) * scale;
    *reinterpret_cast<Float*>(output + i) =
        d * *reinterpret_cast<const Float*>(gain + i) + *reinterpret_cast<const Float*>(bias + i);
  }
  for (int i = whole; i < size; ++i) output[i] = (input[i] - mean) * scale * gain[i] + bias[i];
}

#define TROUPE_KERNELS(suffix, bytes, rows, few_rows, target)                                                        \
  target void DenseLayer##suffix(const DenseLayerCall& call) { DenseLayer<bytes, rows, few_rows>(call); }            \
  target void Exponential##suffix(float* values, int64_t count) { Exponential<bytes>(values, count); }               \
  target void HyperbolicTangent##suffix(float* values, int64_t count) { HyperbolicTangent<bytes>(values, count); }   \
  target void LayerNorm##suffix(const float* input, int size, const float* gain, const float* bias, float* output) { \
    LayerNorm<bytes>(input, size, gain, bias, output);                                                               \
  }                                                                                                                  \
  Kernels Make##suffix(const char* name) {                                                                           \
    return {name, bytes / 2, DenseLayer##suffix, Exponential##suffix, HyperbolicTangent##suffix, LayerNorm##suffix}; \
  }

TROUPE_KERNELS(Baseline, 16, 4, 2, )
#if defined(__x86_64__)
TROUPE_KERNELS(Avx2, 32, 6, 2, __attribute__((target("avx2,fma"))))
TROUPE_KERNELS(Avx512, 64, 8, 4, __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"))))
#endif

std::vector<Kernels> FindKernels() {
  std::vector<Kernels> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
    found.push_back(MakeAvx512("avx512"));
  }
  if (avx2) found.push_back(MakeAvx2("avx2"));
#endif
  found.push_back(MakeBaseline("baseline"));
  return found;
}

}  // namespace

const std::vector<Kernels>& AvailableKernels() {
  static const auto* const kernels = new std::vector<Kernels>(FindKernels());
  return *kernels;
}

const Kernels& BestKernels() { return AvailableKernels().front(); }

void PackWeights(const float* weights, int inputs, int outputs, int panel_width, float* packed) {
  const int padded = PaddedSize(outputs);
  for (int column = 0; column < padded;) {
    const int width = column + panel_width <= padded ? panel_width : panel_width / 2;
    for (int k = 0; k < inputs; ++k) {
      for (int i = 0; i < width; ++i) {
        const int n = column + i;
        *packed++ = n < outputs ? weights[int64_t{k} * outputs + n] : 0.0f;
      }
    }
    column += width;
  }
}

}  // namespace troupe
