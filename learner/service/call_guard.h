// Who may call: every call of every service passes here before anything of it is read.
#ifndef TROUPE_LEARNER_SERVICE_CALL_GUARD_H_
#define TROUPE_LEARNER_SERVICE_CALL_GUARD_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/security/bearer_token.h"
#include "common/security/server_security.h"
#include "grpcpp/server_context.h"
#include "learner/service/learner_metrics.h"

namespace troupe {

// Over TLS a call needs the token, if there is one; the certificate was checked by the handshake. In plain text it
// needs the token too, or that of the local workers; beside TLS the local workers' is the only one good enough.
// Thread-safe.
class CallGuard {
 public:
  // `local_token` empty: there is none. `metrics` outlives it. Errors of the token file.
  static absl::StatusOr<std::unique_ptr<CallGuard>> Create(const ServerSecurity& security, std::string local_token,
                                                           LearnerMetrics* metrics);

  // OK, or UNAUTHENTICATED, counted in troupe_rejected_requests_total{reason="unauthenticated" | "token"}.
  absl::Status Check(const grpc::CallbackServerContext& context) const;

  // The same for what a call brings: over TLS or not, and the value of its authorization metadata.
  absl::Status CheckCall(bool over_tls, absl::string_view authorization) const;

  // Whether a call that may be made comes from a worker that this learner has started: in plain text, with the token of
  // those.
  bool IsLocal(const grpc::CallbackServerContext& context) const;

  LearnerMetrics* metrics() const { return metrics_; }

 private:
  CallGuard(bool tls, std::shared_ptr<BearerToken> token, std::string local_token, LearnerMetrics* metrics);

  const bool tls_;
  const std::shared_ptr<BearerToken> token_;  // null: none
  const std::string local_token_;
  LearnerMetrics* const metrics_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_CALL_GUARD_H_
