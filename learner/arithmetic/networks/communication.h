// What the rows of a joint step tell each other, in LibTorch's operators: differentiable, so that who says something
// learns from what comes of it for whoever heard it. common/specs/policy_spec.h has the formulas.
//
// Rows of a set are those of one team after another: row i · R + r is place r of team i.
#ifndef TROUPE_LEARNER_ARITHMETIC_NETWORKS_COMMUNICATION_H_
#define TROUPE_LEARNER_ARITHMETIC_NETWORKS_COMMUNICATION_H_

#include <vector>

#include "common/specs/policy_spec.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

// Who hears whom. Thread-safe.
class Listeners {
 public:
  // `hears` as NetworkPlan has it, over sets · R places.
  Listeners(const DenseStackSpec& stack, const std::vector<std::vector<int>>& hears);

  // From what was said [sets, teams · R, K] to what is heard [sets, teams · R, num_inputs()].
  at::Tensor Heard(const at::Tensor& said) const;

 private:
  const MessageSpec messages_;
  const int64_t sets_, places_;
  at::Tensor sources_;  // [places · most_heard]: places, or their number where nobody is
  at::Tensor shares_;   // [places, 1]: of one message in the mean
};

// One step of a stack that communicates: x [sets, teams · R, input] with 1 or 0 in the messages' first input, whether
// the row's agent speaks; state [sets, teams · R, spec.state_size()] before and after. In any floating dtype.
RecurrentStep CommunicatingReference(const DenseStackSpec& spec, const Listeners& listeners,
                                     const at::Tensor& parameters, const at::Tensor& x, const at::Tensor& state);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_NETWORKS_COMMUNICATION_H_
