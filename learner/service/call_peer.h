// Whom a call comes from.
#ifndef TROUPE_LEARNER_SERVICE_CALL_PEER_H_
#define TROUPE_LEARNER_SERVICE_CALL_PEER_H_

#include <string>

#include "grpcpp/server_context.h"
#include "learner/service/peer_ledger.h"

namespace troupe {

// Written by a gateway that hands calls on over a Unix socket (deploy/gateway/nginx.conf.in).
inline constexpr char kForwardedForKey[] = "x-forwarded-for";

// The caller's address, as PeerAddress tells it.
inline std::string PeerOf(const grpc::CallbackServerContext& context) {
  const auto found = context.client_metadata().find(kForwardedForKey);
  if (found == context.client_metadata().end()) return PeerAddress(context.peer(), "");
  return PeerAddress(context.peer(), {found->second.data(), found->second.size()});
}

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_CALL_PEER_H_
