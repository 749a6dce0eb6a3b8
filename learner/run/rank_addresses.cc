#include "learner/run/rank_addresses.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/security/addresses.h"
#include "learner/algorithms/modules/rank_share.h"
#include "learner/ranks/rank_group.h"

namespace troupe {

absl::Status CheckAdvertised(const std::string& address) {
  if (address.size() <= kMaxAddressBytes && IsHostAndPort(address) && !IsWildcardAddress(address)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("--advertise=", address.substr(0, kMaxAddressBytes),
                                                 ": expected the HOST:PORT by which workers reach this learner"));
}

std::string AddressForWorkers(const TrainOptions& options, int port) {
  if (!options.advertise.empty()) return options.advertise;
  const std::string& listen = options.listen_address;
  if (absl::StartsWith(listen, "unix:")) return "";
  const std::string master = absl::StrCat(options.ranks->master_address, ":", options.ranks->master_port);
  if (IsLoopbackAddress(listen)) return IsLoopbackAddress(master) ? AddressOf(listen, port) : "";
  if (!IsWildcardAddress(listen)) return AddressOf(listen, port);
  const absl::StatusOr<std::string> facing = AddressFacing(options.ranks->master_address, options.ranks->master_port);
  if (!facing.ok()) return "";
  return absl::StrContains(*facing, ':') ? absl::StrCat("[", *facing, "]:", port) : absl::StrCat(*facing, ":", port);
}

absl::Status ShareAddresses(const std::string& own, Collective* ranks, RankDirectory* directory) {
  std::vector<double> numbers = {static_cast<double>(own.size())};
  for (const char letter : own) numbers.push_back(static_cast<unsigned char>(letter));
  numbers = Concatenate(numbers, ranks);
  RETURN_IF_ERROR(ranks->status());
  std::vector<std::string> addresses;
  for (size_t next = 0; next < numbers.size();) {
    const size_t end = next + 1 + static_cast<size_t>(numbers[next]);
    std::string address;
    for (++next; next < end; ++next) address.push_back(static_cast<char>(numbers[next]));
    addresses.push_back(CheckAdvertised(address).ok() ? address : "");
  }
  directory->SetAddresses(std::move(addresses));
  return absl::OkStatus();
}

}  // namespace troupe
