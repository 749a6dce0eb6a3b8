#include "learner/run/rank_environment.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/security/addresses.h"

namespace troupe {
namespace {

using Get = std::function<const char*(const char* name)>;

absl::StatusOr<int> Number(const Get& get, const std::string& name, int low, int high) {
  const char* const text = get(name.c_str());
  int value = 0;
  if (text == nullptr || *text == '\0') {
    return absl::InvalidArgumentError(absl::StrCat(name,
                                                   " is missing: a learner that is one of several needs RANK, "
                                                   "WORLD_SIZE, MASTER_ADDR and MASTER_PORT in its environment"));
  }
  if (!absl::SimpleAtoi(text, &value) || value < low || value > high) {
    return absl::InvalidArgumentError(absl::StrCat(name, "=", text, ": expected a number from ", low, " to ", high));
  }
  return value;
}

std::string Text(const Get& get, const char* name) {
  const char* const text = get(name);
  return text == nullptr ? "" : text;
}

}  // namespace

absl::StatusOr<std::optional<RankEnvironment>> ReadRankEnvironment(const Get& get) {
  if (Text(get, "RANK").empty() && Text(get, "WORLD_SIZE").empty()) return std::nullopt;
  RankEnvironment ranks;
  ASSIGN_OR_RETURN(ranks.size, Number(get, "WORLD_SIZE", 1, kMaxRanks));
  ASSIGN_OR_RETURN(ranks.rank, Number(get, "RANK", 0, ranks.size - 1));
  if (ranks.size == 1) return std::nullopt;
  ranks.master_address = Text(get, "MASTER_ADDR");
  if (ranks.master_address.empty()) {
    return absl::InvalidArgumentError("MASTER_ADDR is missing: the address of rank 0, the same for all ranks");
  }
  ASSIGN_OR_RETURN(ranks.master_port, Number(get, "MASTER_PORT", 1, 65535));
  if (!Text(get, "LOCAL_RANK").empty()) {
    ASSIGN_OR_RETURN(ranks.local_rank, Number(get, "LOCAL_RANK", 0, ranks.size - 1));
  }
  ranks.serve_store = Text(get, "TORCHELASTIC_USE_AGENT_STORE") != "True";
  return ranks;
}

absl::Status CheckRanks(const RankEnvironment& ranks, int num_shards, bool insecure) {
  if (ranks.size > num_shards) {
    return absl::InvalidArgumentError(absl::StrCat("WORLD_SIZE=", ranks.size, ": collection.num_shards is ", num_shards,
                                                   ", expected at least one shard for every rank"));
  }
  if (insecure || IsLoopbackAddress(absl::StrCat(ranks.master_address, ":", ranks.master_port))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "MASTER_ADDR=", ranks.master_address,
      ": others can reach it and what learners tell each other is neither encrypted nor signed; add --insecure_ranks "
      "on a network you trust"));
}

absl::StatusOr<std::string> AddressOfLocalRank(const std::string& address, int local_rank) {
  if (absl::StartsWith(address, "unix:")) {
    return local_rank == 0 ? address : absl::StrCat(address, ".", local_rank);
  }
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 ||
      (port > 0 && port + local_rank > 65535)) {
    return absl::InvalidArgumentError(
        absl::StrCat(address, ": expected HOST:PORT with a port up to ", 65535 - local_rank));
  }
  return port == 0 ? address : absl::StrCat(address.substr(0, colon + 1), port + local_rank);
}

}  // namespace troupe
