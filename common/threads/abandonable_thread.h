// A thread that the kernel may not give back: it reads a file on a mount that hangs, or writes to what nobody reads.
#ifndef TROUPE_COMMON_THREADS_ABANDONABLE_THREAD_H_
#define TROUPE_COMMON_THREADS_ABANDONABLE_THREAD_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/threads/named_thread.h"

namespace troupe {

// `body` may touch nothing but what it holds itself, for it may outlive everything else. Not thread-safe.
class AbandonableThread {
 public:
  AbandonableThread(const std::string& name, std::function<void()> body);
  // End with no patience, unless that was done.
  ~AbandonableThread();
  AbandonableThread(const AbandonableThread&) = delete;
  AbandonableThread& operator=(const AbandonableThread&) = delete;

  // Waits for `body` to return, which its owner has told it to, and joins. False: it has not within `patience`, and is
  // left behind; the end of the process ends it.
  bool End(absl::Duration patience);

 private:
  struct State {
    absl::Mutex mutex;
    bool returned ABSL_GUARDED_BY(mutex) = false;
  };

  const std::shared_ptr<State> state_;
  std::unique_ptr<NamedThread> thread_;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_THREADS_ABANDONABLE_THREAD_H_
