// A version's roster of saved opponents on the wire: their versions and weights. The opponents themselves travel before
// it, once each (proto/weights.proto).
#ifndef TROUPE_COMMON_WIRE_ROSTER_CODEC_H_
#define TROUPE_COMMON_WIRE_ROSTER_CODEC_H_

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/base/policy_snapshot.h"
#include "proto/weights.pb.h"

namespace troupe {

void EncodeRoster(const Roster& roster, wire::Roster* message);

// Null where that version has not come.
using FindSaved = absl::FunctionRef<std::shared_ptr<const PolicySnapshot>(uint64_t saved_version)>;

// INVALID_ARGUMENT naming the field: a probability outside [0, 1], more than kMaxOpponents opponents, one that comes
// twice or has not come, weights that are not `num_teams` finite numbers of at least 0, or opponents whom nobody meets.
absl::StatusOr<std::shared_ptr<const Roster>> DecodeRoster(const wire::Roster& message, int num_teams, FindSaved find);

}  // namespace troupe

#endif  // TROUPE_COMMON_WIRE_ROSTER_CODEC_H_
