#include "learner/arithmetic/host/vector_math.h"

#include <cmath>

#include "learner/arithmetic/host/vector_functions.h"

namespace troupe::vector_math {

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
