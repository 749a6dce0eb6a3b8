// The environment variables by which torchrun, Kubernetes or a person tells a learner that it is one of several.
#ifndef TROUPE_LEARNER_RUN_RANK_ENVIRONMENT_H_
#define TROUPE_LEARNER_RUN_RANK_ENVIRONMENT_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe {

struct RankEnvironment {
  int rank = 0;                // RANK
  int size = 1;                // WORLD_SIZE
  int local_rank = 0;          // LOCAL_RANK, this machine's how-manieth; 0 when absent
  std::string master_address;  // MASTER_ADDR
  int master_port = 0;         // MASTER_PORT
  bool serve_store = true;     // rank 0 serves the store; false: TORCHELASTIC_USE_AGENT_STORE is True
};

inline constexpr int kMaxRanks = 1024;

// `get` as std::getenv. Nothing: neither RANK nor WORLD_SIZE is there, or WORLD_SIZE is 1. INVALID_ARGUMENT naming the
// variable that is missing or makes no sense.
absl::StatusOr<std::optional<RankEnvironment>> ReadRankEnvironment(
    const std::function<const char*(const char* name)>& get);

// INVALID_ARGUMENT: more ranks than shards; a master that others can reach without `insecure`, as what learners tell
// each other is neither encrypted nor signed.
absl::Status CheckRanks(const RankEnvironment& ranks, int num_shards, bool insecure);

// The address with its port counted up by `local_rank`, so that several ranks of one machine can be given the same
// command line; a port of 0 (any) stays. unix:PATH of the ranks after the first becomes unix:PATH.RANK.
// INVALID_ARGUMENT: no port, or beyond 65535.
absl::StatusOr<std::string> AddressOfLocalRank(const std::string& address, int local_rank);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_RANK_ENVIRONMENT_H_
