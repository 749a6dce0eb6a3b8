// An actor network with its distribution as an ONNX graph: the formulas of common/specs/policy_spec.h and
// distribution_spec.h in operators. docs/export.md tells users what goes in and comes out.
#ifndef TROUPE_LEARNER_EXPORT_ONNX_POLICY_H_
#define TROUPE_LEARNER_EXPORT_ONNX_POLICY_H_

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/host_tensor.h"
#include "common/specs/policy_spec.h"
#include "learner/export/onnx_model.h"

namespace troupe {

// The actors of parameter set `set`. `tensors` are those of spec.Parameters(). Any number of rows at once, "batch":
//   in   observation [batch, O]
//        agent [batch]            index in the group, with agent_id_input; the one-hot is made of it
//        action_mask [batch, N]   of discrete and multi-discrete actions: which are allowed
//        state_in [batch, H]      of networks with a cell; zeros where an episode begins; m, of an LSTM m then c
//        heard [batch, F]         of networks that communicate: what an agent hears, as it is among its inputs
//   out  logits [batch, N]        (multi-)categorical; disallowed ones are kMaskedLogit
//        values [batch, N]        epsilon_greedy, in the same way
//        mean, log_std [batch, N] Gaussians, in units of the policy; without the snapshot's noise scale
//        action                   the mode, as the environment takes it: [batch] indices, [batch, D] indices of
//                                 multi-discrete actions, [batch, N] numbers within their bounds of continuous ones
//        state_out [batch, H]
//        message [batch, K]       what the agent says, which its neighbours hear at their next step
// Errors: RESOURCE_EXHAUSTED for a network of more than kMaxOnnxBytes, INVALID_ARGUMENT for tensors of another,
// and for groups that follow options.
absl::StatusOr<OnnxModel> MakeOnnxPolicy(const PolicySpec& spec, absl::Span<const HostTensor> tensors, int set);

}  // namespace troupe

#endif  // TROUPE_LEARNER_EXPORT_ONNX_POLICY_H_
