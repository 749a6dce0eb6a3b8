#include "learner/ingest/chunk_admission.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "learner/ingest/chunk_values.h"

namespace troupe {

uint64_t RequiredVersion(CollectionMode mode, uint64_t oldest_version, uint64_t update) {
  const uint64_t lag = mode == SYNCHRONOUS ? 0 : 1;
  return std::max(oldest_version, update < lag ? 0 : update - lag);
}

absl::StatusOr<AdmissionVerdict> DecideAdmission(const AdmissionState& state, const LeaseTable& leases,
                                                 const std::string& worker_id, const wire::Chunk& chunk) {
  using Standing = LeaseTable::Standing;
  switch (leases.Find(worker_id, chunk.shard(), chunk.lease_epoch(), chunk.sequence())) {
    case Standing::kUnknownShard:
      return absl::InvalidArgumentError(absl::StrCat("shard: came ", chunk.shard(), ", expected one of the run's"));
    case Standing::kUnknownLease:
      return absl::InvalidArgumentError(
          absl::StrCat("lease_epoch: came ", chunk.lease_epoch(), ", which shard ", chunk.shard(), " never had"));
    case Standing::kGap:
      return absl::InvalidArgumentError(
          absl::StrCat("sequence: came ", chunk.sequence(), ", beyond the next of shard ", chunk.shard()));
    case Standing::kOldLease:
      return AdmissionVerdict{wire::OLD_LEASE, 0, 0};
    case Standing::kDuplicate:
      return AdmissionVerdict{wire::DUPLICATE, 0, 0};
    case Standing::kNext:
      break;
  }
  const uint64_t version = chunk.policy_version();
  if (version < state.oldest_version || version > state.newest_version) {
    return absl::InvalidArgumentError(absl::StrCat("policy_version: came ", version, ", expected one of [",
                                                   state.oldest_version, ", ", state.newest_version, "]"));
  }
  if (state.mode == ASYNCHRONOUS) {
    const uint64_t lag = state.next_batch < version ? 0 : state.next_batch - version;
    return AdmissionVerdict{lag > state.max_policy_lag ? wire::STALE : wire::ADMITTED, state.next_batch, lag};
  }
  const uint64_t update = leases.next_update(chunk.shard());
  const uint64_t required = RequiredVersion(state.mode, state.oldest_version, update);
  if (version != required) {
    return absl::InvalidArgumentError(
        absl::StrCat("policy_version: came ", version, ", expected ", required, " for update ", update));
  }
  return AdmissionVerdict{wire::ADMITTED, update, update - version};
}

absl::StatusOr<ReceivedChunkView> CheckChunk(const EnvironmentSpec& spec, const ChunkShape& shape,
                                             const ReceivedChunk& received) {
  ASSIGN_OR_RETURN(ReceivedChunkView view, ViewChunk(spec, shape, received));
  RETURN_IF_ERROR(CheckChunkValues(spec, shape, received.chunk, view));
  return view;
}

}  // namespace troupe
