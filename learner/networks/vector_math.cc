#include "learner/networks/vector_math.h"

#include <bit>
#include <cmath>

#include "common/policy_spec.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__)
#define TROUPE_VECTORIZED \
  __attribute__((optimize("O3", "no-math-errno"), target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define TROUPE_VECTORIZED
#endif

namespace troupe::vector_math {
namespace {

constexpr float kLog2E = 1.44269504f;
constexpr float kLn2High = 0.693359375f;
constexpr float kLn2Low = -2.12194440e-4f;

// e^x for x in [-87, 88]: 2^n times the Taylor series of the remainder.
inline float Exp(float x) {
  const float n = std::floor(x * kLog2E + 0.5f);
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float series = 1.0f / 5040;
  series = series * r + 1.0f / 720;
  series = series * r + 1.0f / 120;
  series = series * r + 1.0f / 24;
  series = series * r + 1.0f / 6;
  series = series * r + 0.5f;
  series = series * r + 1.0f;
  series = series * r + 1.0f;
  return series * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

inline float Tanh(float x) {
  const float magnitude = std::fabs(x) < 10.0f ? std::fabs(x) : 10.0f;
  const float e = Exp(2.0f * magnitude);
  return std::copysign(1.0f - 2.0f / (e + 1.0f), x) + (x - x);
}

}  // namespace

TROUPE_VECTORIZED void AddBias(const float* bias, int64_t rows, int64_t size, float* y) {
  for (int64_t r = 0; r < rows; ++r, y += size) {
    for (int64_t c = 0; c < size; ++c) y[c] += bias[c];
  }
}

TROUPE_VECTORIZED void AddBiasRelu(const float* bias, int64_t rows, int64_t size, float* y) {
  for (int64_t r = 0; r < rows; ++r, y += size) {
    for (int64_t c = 0; c < size; ++c) {
      const float v = y[c] + bias[c];
      y[c] = v < 0.0f ? 0.0f : v;  // NaN stays NaN
    }
  }
}

TROUPE_VECTORIZED void AddBiasTanh(const float* bias, int64_t rows, int64_t size, float* y) {
  for (int64_t r = 0; r < rows; ++r, y += size) {
    for (int64_t c = 0; c < size; ++c) y[c] = Tanh(y[c] + bias[c]);
  }
}

TROUPE_VECTORIZED void ReluBackward(const float* h, int64_t count, float* d) {
  for (int64_t i = 0; i < count; ++i) d[i] = h[i] > 0.0f ? d[i] : 0.0f;
}

TROUPE_VECTORIZED void TanhBackward(const float* h, int64_t count, float* d) {
  for (int64_t i = 0; i < count; ++i) d[i] *= 1.0f - h[i] * h[i];
}

TROUPE_VECTORIZED void AddColumnSums(const float* d, int64_t rows, int64_t size, float* sums) {
  for (int64_t r = 0; r < rows; ++r, d += size) {
    for (int64_t c = 0; c < size; ++c) sums[c] += d[c];
  }
}

TROUPE_VECTORIZED void LayerNorm(const float* x, const float* gain, const float* shift, int64_t rows, int64_t size,
                                 float* normalized, float* reciprocal_deviation, float* y) {
  for (int64_t r = 0; r < rows; ++r, x += size, normalized += size, y += size) {
    double sum = 0;
    for (int64_t c = 0; c < size; ++c) sum += x[c];
    const float mean = static_cast<float>(sum / size);
    double squares = 0;
    for (int64_t c = 0; c < size; ++c) squares += static_cast<double>(x[c] - mean) * (x[c] - mean);
    const float reciprocal = static_cast<float>(1.0 / std::sqrt(squares / size + kLayerNormEpsilon));
    reciprocal_deviation[r] = reciprocal;
    for (int64_t c = 0; c < size; ++c) {
      normalized[c] = (x[c] - mean) * reciprocal;
      y[c] = normalized[c] * gain[c] + shift[c];
    }
  }
}

TROUPE_VECTORIZED void LayerNormBackward(const float* normalized, const float* reciprocal_deviation, const float* gain,
                                         int64_t rows, int64_t size, float* d, float* gain_gradient,
                                         float* shift_gradient) {
  for (int64_t r = 0; r < rows; ++r, d += size, normalized += size) {
    double sum = 0, dot = 0;
    for (int64_t c = 0; c < size; ++c) {
      gain_gradient[c] += d[c] * normalized[c];
      shift_gradient[c] += d[c];
      d[c] *= gain[c];
      sum += d[c];
      dot += static_cast<double>(d[c]) * normalized[c];
    }
    const float mean = static_cast<float>(sum / size), mean_dot = static_cast<float>(dot / size);
    for (int64_t c = 0; c < size; ++c) d[c] = reciprocal_deviation[r] * (d[c] - mean - normalized[c] * mean_dot);
  }
}

TROUPE_VECTORIZED void Add(const float* addend, int64_t count, float* sum) {
  for (int64_t i = 0; i < count; ++i) sum[i] += addend[i];
}

}  // namespace troupe::vector_math
