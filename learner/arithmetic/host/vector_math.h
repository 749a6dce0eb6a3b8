// The elementwise parts of a dense stack over [rows, size] blocks and of its optimiser, compiled for several
// instruction sets and chosen when the program starts. Pure functions of their arguments; single-threaded.
#ifndef TROUPE_LEARNER_ARITHMETIC_HOST_VECTOR_MATH_H_
#define TROUPE_LEARNER_ARITHMETIC_HOST_VECTOR_MATH_H_

#include <cstdint>

namespace troupe::vector_math {

// y[r, c] += bias[c].
void AddBias(const float* bias, int64_t rows, int64_t size, float* y);
// y[r, c] = max(y[r, c] + bias[c], 0).
void AddBiasRelu(const float* bias, int64_t rows, int64_t size, float* y);
// y[r, c] = tanh(y[r, c] + bias[c]); absolute error below 2e-7.
void AddBiasTanh(const float* bias, int64_t rows, int64_t size, float* y);

// d[i] = h[i] > 0 ? d[i] : 0, with h the activation's output.
void ReluBackward(const float* h, int64_t count, float* d);
// d[i] *= 1 − h[i]².
void TanhBackward(const float* h, int64_t count, float* d);

// sums[c] += Σ_r d[r, c].
void AddColumnSums(const float* d, int64_t rows, int64_t size, float* sums);

// normalized = (x − mean) · reciprocal_deviation per row; y = normalized · gain + shift.
void LayerNorm(const float* x, const float* gain, const float* shift, int64_t rows, int64_t size, float* normalized,
               float* reciprocal_deviation, float* y);
// Turns d from the gradient of y into that of x in place; adds to the gain's and the shift's gradient.
void LayerNormBackward(const float* normalized, const float* reciprocal_deviation, const float* gain, int64_t rows,
                       int64_t size, float* d, float* gain_gradient, float* shift_gradient);

// sum[i] += addend[i].
void Add(const float* addend, int64_t count, float* sum);

// Σ x[i]², added up in double precision in an order that depends on count alone.
double SumSquares(const float* x, int64_t count);

// One step of Adam (arXiv:1412.6980) with its constants folded:
//   g = gradient · gradient_scale + weight_decay · parameters;  m += (g − m) · first_rate;  v += (g² − v) · second_rate
//   parameters −= step_size · m / (√v · second_scale + epsilon)
struct AdamFactors {
  float gradient_scale, weight_decay, first_rate, second_rate, step_size, second_scale, epsilon;
};
void AdamStep(const AdamFactors& factors, const float* gradient, int64_t count, float* parameters, float* first,
              float* second);

}  // namespace troupe::vector_math

#endif  // TROUPE_LEARNER_ARITHMETIC_HOST_VECTOR_MATH_H_
