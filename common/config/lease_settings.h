// What leases ask of the versions of a policy that learner and workers keep.
#ifndef TROUPE_COMMON_CONFIG_LEASE_SETTINGS_H_
#define TROUPE_COMMON_CONFIG_LEASE_SETTINGS_H_

#include <optional>

#include "common/config/experiment_validation.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Versions that are kept at once. Two are enough where a shard is one worker's: the learner cannot train an update
// whose chunk is missing. Of two workers that collect the same shard one may fall behind by kVersionsOfTwo - 2 chunks
// and still find the weights that its next chunk is collected with: with the newest version N, and N is at most the
// update whose chunk is missing, that of the update N - kVersionsOfTwo + 2 wants N - kVersionsOfTwo + 1 at least.
inline constexpr int kVersionsOfOne = 2, kVersionsOfTwo = 10;
inline int VersionsKept(const CollectionSettings& collection) {
  return collection.speculative_leases() > 0 ? kVersionsOfTwo : kVersionsOfOne;
}

// What is for other modes of collection.
std::optional<FieldError> FindLeaseError(const CollectionSettings& collection);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_LEASE_SETTINGS_H_
