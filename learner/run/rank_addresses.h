// Where the workers of each rank connect, which all ranks tell each other when they have come together.
#ifndef TROUPE_LEARNER_RUN_RANK_ADDRESSES_H_
#define TROUPE_LEARNER_RUN_RANK_ADDRESSES_H_

#include <string>

#include "absl/status/status.h"
#include "learner/ranks/collective.h"
#include "learner/run/train_command.h"
#include "learner/service/rank_directory.h"

namespace troupe {

// Longer addresses are refused.
inline constexpr size_t kMaxAddressBytes = 255;

// INVALID_ARGUMENT: not a HOST:PORT that workers could connect to.
absl::Status CheckAdvertised(const std::string& address);

// The address of this rank for workers of any machine, given the port it listens on: --advertise, else where it
// listens, for all addresses of the machine (0.0.0.0) the one that faces MASTER_ADDR. Empty where none is known: it
// listens on a Unix socket, or on the loopback interface while the ranks are on several machines.
std::string AddressForWorkers(const TrainOptions& options, int port);

// Gives `directory` everybody's, in the order of ranks; one that is no HOST:PORT is left out. A call of the group:
// every rank makes it. Errors: those of Collective::status().
absl::Status ShareAddresses(const std::string& own, Collective* ranks, RankDirectory* directory);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_RANK_ADDRESSES_H_
