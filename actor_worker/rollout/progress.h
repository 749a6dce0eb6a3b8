// A rollout thread's sign of life, read by the watchdog.
//
// A simulator can hang where no Status can tell of it. The thread ticks at the start of a chunk, after Start and after
// every step of its copies; what it did when it stopped ticking, and for how long, says whether it hangs. Time is what
// the watchdog saw pass: while the whole process stands still (SIGSTOP, a paused container, a machine that sleeps)
// nobody is silent.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_PROGRESS_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_PROGRESS_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "common/clock/awake_clock.h"

namespace troupe {

// Tick and Rest: the rollout thread. Watch, SilentSeconds and LimitSeconds: the watchdog.
class RolloutProgress {
 public:
  // The copies' first steps may take this much longer than a step: every simulator starts, and the copies play up to
  // one episode each to be in different phases.
  static constexpr double kStartLimitSeconds = 900;
  // Of the time between two looks of the watchdog no more than this counts.
  static constexpr absl::Duration kLongestLook = absl::Seconds(1);

  enum class Stage : uint8_t { kResting, kStarting, kStepping };

  // Something was done, and `stage` begins.
  void Tick(Stage stage) {
    const int64_t now = absl::ToInt64Nanoseconds(clock_.awake());
    if (stage_.load(std::memory_order_relaxed) == Stage::kStepping) {
      const int64_t took = now - since_.load(std::memory_order_relaxed);
      if (took > longest_step_.load(std::memory_order_relaxed)) longest_step_.store(took, std::memory_order_relaxed);
    }
    since_.store(now, std::memory_order_relaxed);
    stage_.store(stage, std::memory_order_release);
  }
  void Rest() { Tick(Stage::kResting); }

  // The watchdog looks, at most kLongestLook after its last look unless the process stood still.
  void Watch(SteadyTime now) { clock_.Watch(now); }
  // Time since the last tick; 0 while resting.
  double SilentSeconds() const {
    if (stage_.load(std::memory_order_acquire) == Stage::kResting) return 0;
    return absl::ToDoubleSeconds(clock_.awake()) - static_cast<double>(since_.load(std::memory_order_relaxed)) * 1e-9;
  }
  // Silence beyond this is a hang: ten times the longest step so far, never less than `lease_timeout_seconds`.
  double LimitSeconds(double lease_timeout_seconds) const {
    if (stage_.load(std::memory_order_acquire) == Stage::kStarting)
      return std::max(kStartLimitSeconds, lease_timeout_seconds);
    return std::max(lease_timeout_seconds, 10e-9 * static_cast<double>(longest_step_.load(std::memory_order_relaxed)));
  }

 private:
  AwakeClock clock_{kLongestLook};
  std::atomic<Stage> stage_ = Stage::kResting;
  std::atomic<int64_t> since_ = 0;  // nanoseconds of clock_
  std::atomic<int64_t> longest_step_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_PROGRESS_H_
