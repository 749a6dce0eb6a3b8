// A rollout thread's sign of life, read by the watchdog.
//
// A simulator can hang where no Status can tell of it. The thread ticks at the start of a chunk, after Start and after
// every step of its copies; what it did when it stopped ticking, and for how long, says whether it hangs.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_PROGRESS_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_PROGRESS_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace troupe {

// Tick and Rest: the rollout thread. SilentSeconds and LimitSeconds: any thread.
class RolloutProgress {
 public:
  // The copies' first steps may take this much longer than a step: every simulator starts, and the copies play up to
  // one episode each to be in different phases.
  static constexpr double kStartLimitSeconds = 900;

  enum class Stage : uint8_t { kResting, kStarting, kStepping };

  // Something was done, and `stage` begins.
  void Tick(Stage stage) {
    const int64_t now = Now();
    if (stage_.load(std::memory_order_relaxed) == Stage::kStepping) {
      const int64_t took = now - since_.load(std::memory_order_relaxed);
      if (took > longest_step_.load(std::memory_order_relaxed)) longest_step_.store(took, std::memory_order_relaxed);
    }
    since_.store(now, std::memory_order_relaxed);
    stage_.store(stage, std::memory_order_release);
  }
  void Rest() { Tick(Stage::kResting); }

  // Time since the last tick; 0 while resting.
  double SilentSeconds() const {
    if (stage_.load(std::memory_order_acquire) == Stage::kResting) return 0;
    return static_cast<double>(Now() - since_.load(std::memory_order_relaxed)) * 1e-9;
  }
  // Silence beyond this is a hang: ten times the longest step so far, never less than `lease_timeout_seconds`.
  double LimitSeconds(double lease_timeout_seconds) const {
    if (stage_.load(std::memory_order_acquire) == Stage::kStarting)
      return std::max(kStartLimitSeconds, lease_timeout_seconds);
    return std::max(lease_timeout_seconds, 10e-9 * static_cast<double>(longest_step_.load(std::memory_order_relaxed)));
  }

 private:
  static int64_t Now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }

  std::atomic<Stage> stage_ = Stage::kResting;
  std::atomic<int64_t> since_ = 0;
  std::atomic<int64_t> longest_step_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_PROGRESS_H_
