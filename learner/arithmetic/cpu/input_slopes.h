// How a dense network's output changes with its inputs, on the CPU by LibTorch, for engines without a way of their own:
// fixed parts of the rows on the compute pool, so that threads do not decide bits.
#ifndef TROUPE_LEARNER_ARITHMETIC_CPU_INPUT_SLOPES_H_
#define TROUPE_LEARNER_ARITHMETIC_CPU_INPUT_SLOPES_H_

#include "absl/types/span.h"
#include "learner/arithmetic/arithmetic.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

// As Arithmetic::Differentiate; `parameters` [P] of all sets, as dense_stack.h has them.
InputGradient DifferentiateByInputs(const DenseStackSpec& spec, const at::Tensor& parameters,
                                    absl::Span<const float> inputs, int64_t rows);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_CPU_INPUT_SLOPES_H_
