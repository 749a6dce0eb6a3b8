#include "learner/arithmetic/blocks/cell_loops.h"

#include <algorithm>

#include "learner/arithmetic/host/vector_functions.h"

namespace troupe::cell_loops {
namespace {

constexpr float kFarthest = 80;  // beyond it both functions are at their ends

// NaN gives NaN: both bounds let it through, written this way round.
inline float Logistic(float x) {
  return 1.0f / (1.0f + vector_math::Exp(-std::min(std::max(x, -kFarthest), kFarthest)));
}

inline float Tanh(float x) { return 2.0f * Logistic(2.0f * x) - 1.0f; }

}  // namespace

TROUPE_VECTORIZED void GruForward(int64_t rows, int64_t size, const float* products, float* gates, float* state) {
  for (int64_t row = 0; row < rows; ++row, products += 3 * size, gates += 3 * size, state += size) {
    for (int64_t i = 0; i < 2 * size; ++i) gates[i] = Logistic(gates[i] + products[i]);
    for (int64_t i = 0; i < size; ++i) {
      const float candidate = Tanh(gates[2 * size + i] + gates[i] * products[2 * size + i]), update = gates[size + i];
      gates[2 * size + i] = candidate;
      state[i] = (1.0f - update) * candidate + update * state[i];
    }
  }
}

TROUPE_VECTORIZED void GruBackward(int64_t rows, int64_t size, const float* gates, const float* candidates,
                                   const float* before, float* slope, float* input_slopes, float* product_slopes) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < size; ++i) {
      const float r = gates[i], z = gates[size + i], n = gates[2 * size + i], by_state = slope[i];
      const float by_candidate = by_state * (1.0f - z) * (1.0f - n * n);
      const float by_update = by_state * (before[i] - n) * z * (1.0f - z);
      const float by_reset = by_candidate * candidates[i] * r * (1.0f - r);
      input_slopes[i] = product_slopes[i] = by_reset;
      input_slopes[size + i] = product_slopes[size + i] = by_update;
      input_slopes[2 * size + i] = by_candidate;
      product_slopes[2 * size + i] = by_candidate * r;
      slope[i] = by_state * z;
    }
    gates += 3 * size, candidates += size, before += size, slope += size;
    input_slopes += 3 * size, product_slopes += 3 * size;
  }
}

TROUPE_VECTORIZED void LstmForward(int64_t rows, int64_t size, const float* products, float* gates, float* tangents,
                                   float* state) {
  for (int64_t row = 0; row < rows; ++row) {
    float* const kept = state + size;
    for (int64_t i = 0; i < 2 * size; ++i) gates[i] = Logistic(gates[i] + products[i]);
    for (int64_t i = 2 * size; i < 3 * size; ++i) gates[i] = Tanh(gates[i] + products[i]);
    for (int64_t i = 3 * size; i < 4 * size; ++i) gates[i] = Logistic(gates[i] + products[i]);
    for (int64_t i = 0; i < size; ++i) {
      const float cell = gates[size + i] * kept[i] + gates[i] * gates[2 * size + i], tangent = Tanh(cell);
      kept[i] = cell;
      tangents[i] = tangent;
      state[i] = gates[3 * size + i] * tangent;
    }
    products += 4 * size, gates += 4 * size, tangents += size, state += 2 * size;
  }
}

TROUPE_VECTORIZED void LstmBackward(int64_t rows, int64_t size, const float* gates, const float* tangents,
                                    const float* before, float* slope, float* gate_slopes) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < size; ++i) {
      const float in = gates[i], forget = gates[size + i], g = gates[2 * size + i], out = gates[3 * size + i];
      const float tangent = tangents[i], by_output = slope[i];
      const float by_cell = slope[size + i] + by_output * out * (1.0f - tangent * tangent);
      gate_slopes[i] = by_cell * g * in * (1.0f - in);
      gate_slopes[size + i] = by_cell * before[size + i] * forget * (1.0f - forget);
      gate_slopes[2 * size + i] = by_cell * in * (1.0f - g * g);
      gate_slopes[3 * size + i] = by_output * tangent * out * (1.0f - out);
      slope[i] = 0.0f;
      slope[size + i] = by_cell * forget;
    }
    gates += 4 * size, tangents += size, before += 2 * size, slope += 2 * size, gate_slopes += 4 * size;
  }
}

}  // namespace troupe::cell_loops
