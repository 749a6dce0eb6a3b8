// Names of parameterised tests over dense stacks: "3 x 17-128-64-4 tanh hidden_norms".
#ifndef TROUPE_TESTS_ALGORITHMS_PRINT_STACK_H_
#define TROUPE_TESTS_ALGORITHMS_PRINT_STACK_H_

#include <ostream>

#include "common/specs/policy_spec.h"

namespace troupe {

inline void PrintTo(const DenseStackSpec& spec, std::ostream* out) {
  *out << spec.num_sets << " x " << spec.input_size;
  for (const int size : spec.hidden_sizes) *out << "-" << size;
  *out << "-" << spec.output_size << (spec.activation == Activation::kRelu ? " relu" : " tanh");
  if (spec.input_layer_norm) *out << " input_norm";
  if (spec.hidden_layer_norm) *out << " hidden_norms";
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ALGORITHMS_PRINT_STACK_H_
