// A stack that attends over tokens (AttentionSpec, common/specs/policy_spec.h) as a LibTorch function of its flat
// parameters.
#ifndef TROUPE_LEARNER_ARITHMETIC_NETWORKS_ATTENTION_H_
#define TROUPE_LEARNER_ARITHMETIC_NETWORKS_ATTENTION_H_

#include "common/specs/policy_spec.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

// Of a stack that attends(): x [1, rows, input] → [1, rows, output], differentiable with respect to both, in any
// floating dtype. Rows do not touch each other. Kinds of tokens that may be absent come first.
at::Tensor AttentionForward(const DenseStackSpec& spec, const at::Tensor& parameters, const at::Tensor& x);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_NETWORKS_ATTENTION_H_
