// Plain structs ↔ wire messages for specs and weights.
#ifndef TROUPE_COMMON_WIRE_SPEC_CODEC_H_
#define TROUPE_COMMON_WIRE_SPEC_CODEC_H_

#include <vector>

#include "absl/status/statusor.h"
#include "common/base/policy_snapshot.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "proto/environment_spec.pb.h"
#include "proto/weights.pb.h"

namespace troupe {

void EncodeEnvironmentSpec(const EnvironmentSpec& spec, wire::EnvironmentSpec* message);

// Errors: INVALID_ARGUMENT naming the field (no groups, empty names, sizes out of [1, 1e6], unknown enum value,
// descriptions that are not complete).
absl::StatusOr<EnvironmentSpec> DecodeEnvironmentSpec(const wire::EnvironmentSpec& message);

// The first difference between two tasks as a person would say it, or "" when they are the same. What observations and
// actions are called is compared where both specs tell it; units and meanings are words and are not. machine_settings
// are no part of the task.
std::string DescribeDifference(const EnvironmentSpec& expected, const EnvironmentSpec& actual);

void EncodeWeights(const PolicySnapshot& weights, wire::Weights* message);

// Errors: INVALID_ARGUMENT naming the tensor when name, order, type or shape differ from what `specs` ask for, or a
// value is not finite; those of CheckScalars.
absl::StatusOr<PolicySnapshot> DecodeWeights(const std::vector<PolicySpec>& specs, const wire::Weights& message);

}  // namespace troupe

#endif  // TROUPE_COMMON_WIRE_SPEC_CODEC_H_
