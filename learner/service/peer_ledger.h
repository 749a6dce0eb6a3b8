// What the learner keeps of the addresses its peers come from: who sent malformed chunks, and how long such an address
// is refused registration. A worker of ours never sends one; who shares the address with one that does waits a second
// at most, and so does everybody of this machine.
#ifndef TROUPE_LEARNER_SERVICE_PEER_LEDGER_H_
#define TROUPE_LEARNER_SERVICE_PEER_LEDGER_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"

namespace troupe {

// "ipv4:192.0.2.1" of gRPC's "ipv4:192.0.2.1:4711", "ipv6:[::1]" of "ipv6:%5B::1%5D:4711", anything else as it is. Who
// comes over a Unix socket may say for whom: `forwarded`, "192.0.2.1" or "2001:db8::1"; it is believed of nobody else.
std::string PeerAddress(const std::string& peer, absl::string_view forwarded);

// Of what PeerAddress gives: somebody on this machine.
bool IsLoopbackPeer(const std::string& address);

// Not thread-safe. Time is passed in.
class PeerLedger {
 public:
  // So many malformed chunks cost an address nothing but the worker that sent them; each further one doubles the time
  // in which it may not register, from the first refusal to the longest.
  static constexpr int kForgiven = 8;
  static constexpr absl::Duration kFirstRefusal = absl::Seconds(1);
  static constexpr absl::Duration kLongestRefusal = absl::Minutes(5);
  // An address that sent nothing malformed for so long starts anew.
  static constexpr absl::Duration kForgetAfter = absl::Minutes(10);
  // Addresses kept; beyond it the one that has been quiet longest is forgotten.
  static constexpr size_t kMaxAddresses = 4096;

  void SentMalformedChunk(const std::string& address, SteadyTime now);
  // RESOURCE_EXHAUSTED: not now. `shared`: workers that are honest come from this address too (one is here, or it is
  // loopback): it is refused no longer than kFirstRefusal after each malformed chunk.
  absl::Status MayRegister(const std::string& address, bool shared, SteadyTime now) const;
  size_t size() const { return addresses_.size(); }

 private:
  struct Record {
    int malformed = 0;
    SteadyTime last;
    SteadyTime refused_until = SteadyTime::InfinitePast();
  };
  std::map<std::string, Record> addresses_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_PEER_LEDGER_H_
