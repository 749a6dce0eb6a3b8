#include "learner/service/handshake_failures.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "common/base/shown_text.h"
#include "common/clock/steady_time.h"
#include "grpc/support/log.h"
#include "learner/service/line_limiter.h"

namespace troupe {
namespace {

absl::Mutex& ListenerMutex() {
  static absl::Mutex* const mutex = new absl::Mutex;
  return *mutex;
}

const HandshakeFailures* listener ABSL_PT_GUARDED_BY(ListenerMutex()) = nullptr;

void Pass(const std::string& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(ListenerMutex()) {
  if (listener != nullptr) return listener->Pass(line);
  std::fprintf(stderr, "%s\n", line.c_str());
}

void OnLogLine(gpr_log_func_args* line) {
  absl::MutexLock lock(&ListenerMutex());
  if (HandshakeFailureOf(line->message).has_value()) {
    if (listener != nullptr) listener->Heard(line->message);
  } else if (line->severity == GPR_LOG_SEVERITY_ERROR) {
    // Peers cause these lines too, and have their words in them.
    static LineLimiter* const limiter = new LineLimiter;
    const SteadyTime now = SteadyTime::Now();
    for (const std::string& left_out : limiter->TellLeftOut(now)) Pass(left_out);
    if (limiter->Admit("gRPC", now)) Pass("gRPC: " + ShownText(line->message));
  }
}

}  // namespace

std::optional<std::string> HandshakeFailureOf(absl::string_view log_line) {
  if (!absl::StrContains(log_line, "Handshake failed with")) return std::nullopt;
  for (const char* const plain : {"wrong version number", "http request", "https proxy request", "packet length",
                                  "record layer failure", "unsupported protocol"}) {
    if (absl::StrContains(log_line, plain)) return "tls_plaintext";
  }
  if (absl::StrContains(log_line, "did not return a certificate")) return "tls_no_certificate";
  if (absl::StrContains(log_line, "certificate verify failed")) return "tls_certificate";
  return "tls_handshake";
}

HandshakeFailures::HandshakeFailures(std::function<void(const std::string&)> failed)
    : failed_(std::move(failed)), errors_("gRPC log", STDERR_FILENO) {
  absl::MutexLock lock(&ListenerMutex());
  listener = this;
  gpr_set_log_function(&OnLogLine);
}

HandshakeFailures::~HandshakeFailures() {
  absl::MutexLock lock(&ListenerMutex());
  if (listener == this) listener = nullptr;
}

void HandshakeFailures::Heard(absl::string_view log_line) const {
  if (const auto reason = HandshakeFailureOf(log_line); reason.has_value()) failed_(*reason);
}

}  // namespace troupe
