// First SIGINT or SIGTERM: drain. Second: abort.
#ifndef TROUPE_COMMON_THREADS_SHUTDOWN_H_
#define TROUPE_COMMON_THREADS_SHUTDOWN_H_

#include "absl/time/time.h"

namespace troupe {

// Blocks SIGINT, SIGTERM in all threads and handles them in one of its own: the first sets the request, the second ends the
// process at once with status 130. Construct once, first thing in main, before any other thread. Also ignores SIGPIPE.
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

}  // namespace troupe

#endif  // TROUPE_COMMON_THREADS_SHUTDOWN_H_
