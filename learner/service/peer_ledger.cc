#include "learner/service/peer_ledger.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace troupe {

std::string PeerAddress(const std::string& peer, absl::string_view forwarded) {
  if (absl::StartsWith(peer, "unix:")) {
    const std::string host(forwarded);
    in6_addr address;
    if (inet_pton(AF_INET, host.c_str(), &address) == 1) return absl::StrCat("ipv4:", host);
    if (inet_pton(AF_INET6, host.c_str(), &address) == 1) return absl::StrCat("ipv6:[", host, "]");
    return peer;
  }
  if (!absl::StartsWith(peer, "ipv4:") && !absl::StartsWith(peer, "ipv6:")) return peer;
  return absl::StrReplaceAll(peer.substr(0, peer.rfind(':')), {{"%5B", "["}, {"%5D", "]"}});
}

bool IsLoopbackPeer(const std::string& address) {
  return absl::StartsWith(address, "ipv4:127.") || address == "ipv6:[::1]" || absl::StartsWith(address, "unix:");
}

void PeerLedger::SentMalformedChunk(const std::string& address, SteadyTime now) {
  if (!addresses_.contains(address) && addresses_.size() >= kMaxAddresses) {
    addresses_.erase(std::min_element(addresses_.begin(), addresses_.end(),
                                      [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
  }
  Record& record = addresses_[address];
  if (now - record.last > kForgetAfter) record = {};
  record.last = now;
  record.malformed += 1;
  if (record.malformed <= kForgiven) return;
  const int doublings = std::min(record.malformed - kForgiven - 1, 20);
  record.refused_until = now + std::min(kFirstRefusal * (1 << doublings), kLongestRefusal);
}

absl::Status PeerLedger::MayRegister(const std::string& address, bool shared, SteadyTime now) const {
  const auto found = addresses_.find(address);
  if (found == addresses_.end()) return absl::OkStatus();
  const Record& record = found->second;
  const SteadyTime until = shared ? std::min(record.refused_until, record.last + kFirstRefusal) : record.refused_until;
  if (until <= now) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("peer: ", record.malformed,
                                                   " malformed chunks came from this address, try again in ",
                                                   absl::FormatDuration(absl::Ceil(until - now, absl::Seconds(1)))));
}

}  // namespace troupe
