// An actor network with its distribution as TorchScript: the formulas of common/specs/policy_spec.h and
// distribution_spec.h in Python's words.
#ifndef TROUPE_LEARNER_TORCHSCRIPT_TORCHSCRIPT_SOURCE_H_
#define TROUPE_LEARNER_TORCHSCRIPT_TORCHSCRIPT_SOURCE_H_

#include <string>

#include "common/specs/policy_spec.h"

namespace troupe {

// "layers.0.weight" → "layers_0_weight": a parameter as the module's attribute.
std::string TorchscriptName(const std::string& parameter);

// The definition of forward(self, …) -> Dict[str, Tensor], in and out as docs/export.md says of ONNX files: of what the
// policy takes, by name and in this order, observation, heard, agent, action_mask, state_in. It reads the attributes
// TorchscriptName of the policy's parameters and, where actions have bounds, bounds_half, bounds_middle, bounds_low and
// bounds_high, [N] each.
std::string TorchscriptSource(const PolicySpec& spec);

}  // namespace troupe

#endif  // TROUPE_LEARNER_TORCHSCRIPT_TORCHSCRIPT_SOURCE_H_
