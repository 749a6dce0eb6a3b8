#include "common/threads/timed_wait.h"

#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

#include "common/threads/named_thread.h"

namespace troupe {
namespace {

using Clock = std::chrono::steady_clock;

// While the mutex of a wait whose time has passed is held by somebody.
constexpr auto kTryAgain = std::chrono::milliseconds(1);
// Longer waits are waits without end (and would overflow the clock).
constexpr absl::Duration kLongest = absl::Hours(24 * 365);

// One wait in progress.
struct Alarm {
  absl::Mutex* mutex;
  const absl::Condition* condition;
  bool rang = false;  // under *mutex

  bool IsOver() const { return rang || condition->Eval(); }
};

// A thread that wakes those whose time has passed. Abseil looks at a waiter's condition when somebody releases the
// mutex, so that is what it does. It never waits for a mutex of others: they may hold it as long as they like, and ask
// for alarms meanwhile.
class AlarmClock {
 public:
  AlarmClock() {
    // Signals are for threads that expect them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = NamedThread("alarms", [this] { Run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~AlarmClock() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.Join();
  }

  void Set(Clock::time_point when, Alarm* alarm) {
    const std::lock_guard lock(mutex_);
    // A thread that sleeps no longer than this anyway is left alone: most waits end before their time.
    if (when < sleeps_until_) changed_.notify_one();
    alarms_.emplace(when, alarm);
  }
  // Afterwards nothing of the alarm or its mutex is touched any more.
  void Clear(Alarm* alarm) {
    const std::lock_guard lock(mutex_);
    std::erase_if(alarms_, [alarm](const auto& entry) { return entry.second == alarm; });
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      RingDue(Clock::now());
      sleeps_until_ = alarms_.empty() ? Clock::time_point::max() : alarms_.begin()->first;
      if (alarms_.empty()) {
        changed_.wait(lock);
      } else {
        changed_.wait_until(lock, sleeps_until_);
      }
    }
  }

  void RingDue(Clock::time_point now) {
    while (!alarms_.empty() && alarms_.begin()->first <= now) {
      Alarm* const alarm = alarms_.begin()->second;
      alarms_.erase(alarms_.begin());
      if (!alarm->mutex->TryLock()) {
        alarms_.emplace(now + kTryAgain, alarm);
        continue;
      }
      alarm->rang = true;
      alarm->mutex->Unlock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, Alarm*> alarms_;
  Clock::time_point sleeps_until_ = Clock::time_point::min();
  bool stopping_ = false;
  NamedThread thread_;
};

AlarmClock& Alarms() {
  static AlarmClock alarms;
  return alarms;
}

}  // namespace

bool AwaitFor(absl::Mutex& mutex, const absl::Condition& condition, absl::Duration timeout) {
  if (condition.Eval()) return true;
  if (timeout <= absl::ZeroDuration()) return false;
  if (timeout >= kLongest) {
    mutex.Await(condition);
    return true;
  }
  Alarm alarm{&mutex, &condition};
  Alarms().Set(Clock::now() + absl::ToChronoNanoseconds(timeout), &alarm);
  mutex.Await(absl::Condition(&alarm, &Alarm::IsOver));
  Alarms().Clear(&alarm);
  return condition.Eval();
}

}  // namespace troupe
