// How ranks find each other: a c10d key-value store that one process serves.
#ifndef TROUPE_LEARNER_RANKS_RANK_STORE_H_
#define TROUPE_LEARNER_RANKS_RANK_STORE_H_

#include <string>

#include "absl/status/statusor.h"
#include "learner/ranks/rank_group.h"
#include "learner/torch/torch_headers.h"
#include "torch/csrc/distributed/c10d/Store.hpp"

namespace troupe {

// The store once every rank has come, with a prefix of this group's own: which it is the ranks agree on in the store
// itself. Errors as of JoinRankGroup.
absl::StatusOr<c10::intrusive_ptr<c10d::Store>> JoinRankStore(const RankGroupOptions& options);

// The first line of what LibTorch threw.
std::string ReasonOf(const std::exception& error);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RANKS_RANK_STORE_H_
