// First SIGINT, SIGTERM or SIGHUP: drain. A second SIGINT or SIGTERM: abort.
#ifndef TROUPE_COMMON_THREADS_SHUTDOWN_H_
#define TROUPE_COMMON_THREADS_SHUTDOWN_H_

#include "absl/time/time.h"

namespace troupe {

// Blocks SIGINT, SIGTERM and SIGHUP in all threads and handles them in one of its own: the first sets the request, a
// second SIGINT or SIGTERM ends the process at once with status 130. SIGHUP, which comes when the terminal is closed,
// only ever requests: shells pass it on again, and sessions that end send it beside SIGTERM. A process that was started
// to ignore SIGHUP (nohup) goes on doing so. Construct once, first thing in main, before any other thread. Also ignores
// SIGPIPE, so that writing to what nobody reads any more is an error of that write.
class ShutdownSignal {
 public:
  ShutdownSignal();
  ~ShutdownSignal();
  ShutdownSignal(const ShutdownSignal&) = delete;
  ShutdownSignal& operator=(const ShutdownSignal&) = delete;

  bool requested() const;
  // As a signal would. Thread-safe.
  void Request();
  // True: requested. False: the timeout passed.
  bool WaitFor(absl::Duration timeout);

 private:
  struct State;
  State* const state_;
};

// The process's own, made by the first call and there to the very end: a signal that comes while the process ends is
// still a request, and does not take the exit status that what was done deserves.
ShutdownSignal& ProcessShutdown();

}  // namespace troupe

#endif  // TROUPE_COMMON_THREADS_SHUTDOWN_H_
