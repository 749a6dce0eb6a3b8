// Counts what fails below every service: TLS handshakes.
//
// gRPC tells of a failed handshake nowhere but in its log, so its log is listened to. The counter's meaning stands in
// docs/metrics.md; a test shows that every reason is still recognised with the gRPC in use.
#ifndef TROUPE_LEARNER_SERVICE_HANDSHAKE_FAILURES_H_
#define TROUPE_LEARNER_SERVICE_HANDSHAKE_FAILURES_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/files/text_writer.h"

namespace troupe {

// "tls_plaintext": came something that is no TLS. "tls_no_certificate": the client showed none. "tls_certificate": it
// showed one that is not of the authority, has ended or is not for clients. "tls_handshake": anything else. Empty: the
// line is about no handshake.
std::optional<std::string> HandshakeFailureOf(absl::string_view log_line);

// From construction to destruction `failed` is called with the reason of every failed handshake of this process, from
// gRPC's threads; it must be short. Other lines of gRPC's log go to standard error. One at a time in a process counts:
// the newest.
class HandshakeFailures {
 public:
  explicit HandshakeFailures(std::function<void(const std::string& reason)> failed);
  ~HandshakeFailures();
  HandshakeFailures(const HandshakeFailures&) = delete;
  HandshakeFailures& operator=(const HandshakeFailures&) = delete;

  // What gRPC's log calls.
  void Heard(absl::string_view log_line) const;
  // Lines that are about something else, to standard error; whoever logs does not wait for it.
  void Pass(const std::string& line) const { errors_.Write(line + "\n"); }

 private:
  const std::function<void(const std::string&)> failed_;
  mutable TextWriter errors_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_HANDSHAKE_FAILURES_H_
