// Whether a chunk is trained on. A pure function of what the run is, who holds which lease and how far training has
// come.
#ifndef TROUPE_LEARNER_INGEST_CHUNK_ADMISSION_H_
#define TROUPE_LEARNER_INGEST_CHUNK_ADMISSION_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/specs/environment_spec.h"
#include "common/wire/chunk_layout.h"
#include "learner/ingest/lease_table.h"
#include "proto/experiment.pb.h"
#include "proto/training_service.pb.h"
#include "proto/trajectory.pb.h"

namespace troupe {

// How far training has come.
struct AdmissionState {
  CollectionMode mode = PIPELINED;
  uint64_t oldest_version = 0;  // the version training began with in this process
  uint64_t newest_version = 0;  // the last one published
  uint64_t max_policy_lag = 0;  // ASYNCHRONOUS only
  uint64_t next_batch = 0;      // ASYNCHRONOUS only: the update whose batch is being filled
};

struct AdmissionVerdict {
  // ADMITTED: copy it, then Advance. STALE: not trained on; Advance. DUPLICATE, OLD_LEASE: acknowledged and forgotten.
  wire::ChunkResult result = wire::ADMITTED;
  uint64_t update = 0;      // ADMITTED: the update it is for
  uint64_t policy_lag = 0;  // ADMITTED and STALE: update − policy version
};

// The version that must have acted in a chunk for `update`, in the deterministic modes.
uint64_t RequiredVersion(CollectionMode mode, uint64_t oldest_version, uint64_t update);

// Errors: INVALID_ARGUMENT naming shard, lease_epoch, sequence or policy_version, what came and what was expected.
absl::StatusOr<AdmissionVerdict> DecideAdmission(const AdmissionState& state, const LeaseTable& leases,
                                                 const std::string& worker_id, const wire::Chunk& chunk);

// Shapes (ViewChunk) and values (CheckChunkValues) of a chunk in one step; the view is good while `received` and what
// it views live.
absl::StatusOr<ReceivedChunkView> CheckChunk(const EnvironmentSpec& spec, const ChunkShape& shape,
                                             const ReceivedChunk& received);

}  // namespace troupe

#endif  // TROUPE_LEARNER_INGEST_CHUNK_ADMISSION_H_
