// Sums of gradients and the optimiser's step over flat arrays, compiled for several instruction sets and chosen when
// the program starts. Pure functions of their arguments; single-threaded.
#ifndef TROUPE_LEARNER_ARITHMETIC_HOST_VECTOR_MATH_H_
#define TROUPE_LEARNER_ARITHMETIC_HOST_VECTOR_MATH_H_

#include <cstdint>

namespace troupe::vector_math {

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
