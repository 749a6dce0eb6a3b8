#include "learner/service/peer_ledger.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace troupe {

std::string PeerAddress(const std::string& peer) {
  if (!absl::StartsWith(peer, "ipv4:") && !absl::StartsWith(peer, "ipv6:")) return peer;
  return absl::StrReplaceAll(peer.substr(0, peer.rfind(':')), {{"%5B", "["}, {"%5D", "]"}});
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

absl::Status PeerLedger::MayRegister(const std::string& address, SteadyTime now) const {
  const auto found = addresses_.find(address);
  if (found == addresses_.end() || found->second.refused_until <= now) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("peer: ", found->second.malformed, " malformed chunks came from this address, try again in ",
                   absl::FormatDuration(absl::Ceil(found->second.refused_until - now, absl::Seconds(1)))));
}

}  // namespace troupe
