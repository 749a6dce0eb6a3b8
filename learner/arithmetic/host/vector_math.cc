#include "learner/arithmetic/host/vector_math.h"

#include <algorithm>
#include <cmath>

#include "common/specs/policy_spec.h"
#include "learner/arithmetic/host/vector_functions.h"

namespace troupe::vector_math {
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

TROUPE_VECTORIZED double SumSquares(const float* x, int64_t count) {
  constexpr int64_t kLanes = 16;
  double lanes[kLanes] = {};
  const int64_t whole = count / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += static_cast<double>(x[i + lane]) * x[i + lane];
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  for (int64_t i = whole; i < count; ++i) sum += static_cast<double>(x[i]) * x[i];
  return sum;
}

TROUPE_VECTORIZED void AdamStep(const AdamFactors& factors, const float* gradient, int64_t count,
                                float* __restrict parameters, float* __restrict first, float* __restrict second) {
  const AdamFactors f = factors;
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * f.gradient_scale + f.weight_decay * parameters[i];
    const float m = first[i] + (g - first[i]) * f.first_rate;
    const float v = second[i] + (g * g - second[i]) * f.second_rate;
    first[i] = m;
    second[i] = v;
    parameters[i] -= f.step_size * m / (std::sqrt(v) * f.second_scale + f.epsilon);
  }
}

}  // namespace troupe::vector_math
