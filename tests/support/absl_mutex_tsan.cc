// Tells ThreadSanitizer what absl's mutexes and notifications order, when the system's absl and gRPC are shared
// libraries built without it. Linked into test programs of a `thread` build only.
//
// The definitions below take the place of the libraries' own (theirs are found by RTLD_NEXT and called), for gRPC's
// calls too. Reads inside the libraries' Unlock and Await are ignored: absl evaluates waiters' conditions in the thread
// that unlocks.
#include <dlfcn.h>

#include <cstring>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}

namespace {

struct Quiet {
  Quiet() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~Quiet() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
};

// The library's function behind the member function of the same mangled name in this program.
template <typename Function, typename Member>
Function* Next(Member member) {
  void* here;
  std::memcpy(&here, &member, sizeof(here));
  Dl_info info;
  if (dladdr(here, &info) == 0 || info.dli_sname == nullptr) __builtin_trap();
  void* const next = dlsym(RTLD_NEXT, info.dli_sname);
  if (next == nullptr) __builtin_trap();
  return reinterpret_cast<Function*>(next);
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  static auto* const next = Next<void(Mutex*)>(&Mutex::Lock);
  {
    Quiet quiet;
    next(this);
  }
  __tsan_acquire(this);
}

bool Mutex::TryLock() {
  static auto* const next = Next<bool(Mutex*)>(&Mutex::TryLock);
  const bool locked = next(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::Unlock() {
  static auto* const next = Next<void(Mutex*)>(&Mutex::Unlock);
  __tsan_release(this);
  Quiet quiet;
  next(this);
}

void Mutex::Await(const Condition& condition) {
  static auto* const next = Next<void(Mutex*, const Condition&)>(&Mutex::Await);
  __tsan_release(this);
  {
    Quiet quiet;
    next(this, condition);
  }
  __tsan_acquire(this);
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  static auto* const next = Next<bool(Mutex*, const Condition&, Duration)>(&Mutex::AwaitWithTimeout);
  __tsan_release(this);
  bool result;
  {
    Quiet quiet;
    result = next(this, condition, timeout);
  }
  __tsan_acquire(this);
  return result;
}

void CondVar::Wait(Mutex* mutex) {
  static auto* const next = Next<void(CondVar*, Mutex*)>(&CondVar::Wait);
  __tsan_release(mutex);
  {
    Quiet quiet;
    next(this, mutex);
  }
  __tsan_acquire(mutex);
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static auto* const next = Next<bool(CondVar*, Mutex*, Time)>(&CondVar::WaitWithDeadline);
  __tsan_release(mutex);
  bool result;
  {
    Quiet quiet;
    result = next(this, mutex, deadline);
  }
  __tsan_acquire(mutex);
  return result;
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static auto* const next = Next<bool(CondVar*, Mutex*, Duration)>(&CondVar::WaitWithTimeout);
  __tsan_release(mutex);
  bool result;
  {
    Quiet quiet;
    result = next(this, mutex, timeout);
  }
  __tsan_acquire(mutex);
  return result;
}

// Its fast path is an atomic of the library's, which no mutex stands for.
void Notification::Notify() {
  static auto* const next = Next<void(Notification*)>(&Notification::Notify);
  __tsan_release(this);
  next(this);
}

void Notification::WaitForNotification() const {
  static auto* const next = Next<void(const Notification*)>(&Notification::WaitForNotification);
  next(this);
  __tsan_acquire(const_cast<Notification*>(this));
}

bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  static auto* const next = Next<bool(const Notification*, Duration)>(&Notification::WaitForNotificationWithTimeout);
  const bool notified = next(this, timeout);
  if (notified) __tsan_acquire(const_cast<Notification*>(this));
  return notified;
}

ABSL_NAMESPACE_END
}  // namespace absl
