// The learners of one data-parallel run, joined over the network: LibTorch's c10d with Gloo, and NCCL for what lies on
// GPUs (nccl.h).
//
// Neither c10d nor Gloo encrypts or asks who is there. The store and Gloo's connections use the one local address that
// faces the master; for a master on the loopback interface that is the loopback interface.
#ifndef TROUPE_LEARNER_RANKS_RANK_GROUP_H_
#define TROUPE_LEARNER_RANKS_RANK_GROUP_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "learner/ranks/collective.h"

namespace troupe {

struct RankGroupOptions {
  int rank = 0;
  int size = 1;
  std::string master_address;  // where the store is that the ranks find each other by
  int master_port = 0;
  bool serve_store = true;  // rank 0 is the store; false: torchrun is
  // Of one call: a rank that does not take part for so long counts as gone. One that dies is noticed at once.
  absl::Duration timeout = absl::Seconds(60);
  absl::Duration join_timeout = absl::Minutes(5);
  std::function<bool()> stop_requested = [] { return false; };       // ends the joining
  std::function<void(const std::string&)> log = [](const auto&) {};  // what is waited for, for people
};

// Waits for all ranks. Environment: GLOO_SOCKET_IFNAME names the interface for Gloo's connections.
// Errors: UNAVAILABLE: the port is taken, or who did not come in time. CANCELLED: stop_requested.
absl::StatusOr<std::unique_ptr<Collective>> JoinRankGroup(const RankGroupOptions& options);

// This machine's numeric address as the master sees it. UNAVAILABLE: the name is unknown or nothing leads there.
absl::StatusOr<std::string> AddressFacing(const std::string& host, int port);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RANKS_RANK_GROUP_H_
