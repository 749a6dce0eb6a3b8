#include "common/threads/shutdown.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/threads/named_thread.h"
#include "common/threads/sync_point.h"
#include "common/threads/timed_wait.h"

namespace troupe {
namespace {

constexpr int kAbortStatus = 130;

int OrDie(int result, const char* call) {
  if (result >= 0) return result;
  std::perror(call);
  std::abort();
}

}  // namespace

struct ShutdownSignal::State {
  State() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    struct sigaction hang_up = {};
    sigaction(SIGHUP, nullptr, &hang_up);
    if (hang_up.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, &mask_before);
    broken_pipe_before = signal(SIGPIPE, SIG_IGN);
    signal_fd = OrDie(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
    stop_fd = OrDie(eventfd(0, EFD_CLOEXEC), "eventfd");
    thread = NamedThread("signals", [this] { HandleSignals(); });
  }

  ~State() {
    eventfd_write(stop_fd, 1);
    thread.Join();
    close(signal_fd);
    close(stop_fd);
    signal(SIGPIPE, broken_pipe_before);
    pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
  }

  void HandleSignals() {
    int count = 0;
    while (true) {
      pollfd fds[] = {{signal_fd, POLLIN, 0}, {stop_fd, POLLIN, 0}};
      if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
      signalfd_siginfo info;
      while (read(signal_fd, &info, sizeof(info)) == sizeof(info)) {
        // Of SIGHUP and one other signal, in either order, only a further one is a second wish.
        if (info.ssi_signo != SIGHUP && ++count > 1) _exit(kAbortStatus);
        Request();
      }
      if (fds[1].revents != 0) return;
    }
  }

  void Request() ABSL_LOCKS_EXCLUDED(mutex) {
    const SyncPoint point("shutdown.request");
    absl::MutexLock lock(&mutex);
    requested = true;
  }

  mutable absl::Mutex mutex;
  bool requested ABSL_GUARDED_BY(mutex) = false;

  int signal_fd = -1;
  int stop_fd = -1;
  sigset_t mask_before;
  sighandler_t broken_pipe_before = SIG_DFL;
  NamedThread thread;
};

ShutdownSignal::ShutdownSignal() : state_(new State) {}

ShutdownSignal::~ShutdownSignal() { delete state_; }

bool ShutdownSignal::requested() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->requested;
}

void ShutdownSignal::Request() { state_->Request(); }

bool ShutdownSignal::WaitFor(absl::Duration timeout) {
  absl::MutexLock lock(&state_->mutex);
  return AwaitFor(state_->mutex, absl::Condition(&state_->requested), timeout);
}

ShutdownSignal& ProcessShutdown() {
  static ShutdownSignal* const shutdown = new ShutdownSignal;
  return *shutdown;
}

}  // namespace troupe
