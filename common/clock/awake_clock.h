// A steady clock that stands still while the process does (SIGSTOP, a paused container, a machine that sleeps): others
// could not be heard meanwhile, so none of that time counts as their silence.
#ifndef TROUPE_COMMON_CLOCK_AWAKE_CLOCK_H_
#define TROUPE_COMMON_CLOCK_AWAKE_CLOCK_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "common/clock/steady_time.h"

namespace troupe {

// Its time is what one thread, which looks at it again and again, saw pass. That thread calls Watch, any may read.
class AwakeClock {
 public:
  // Of the time between two looks no more than `longest_look` counts: a little more than it is when the process runs.
  explicit AwakeClock(absl::Duration longest_look) : longest_look_(longest_look) {}

  void Watch(SteadyTime now = SteadyTime::Now()) {
    const absl::Duration passed = watched_ == SteadyTime::InfinitePast() ? absl::ZeroDuration() : now - watched_;
    watched_ = now;
    awake_.fetch_add(absl::ToInt64Nanoseconds(std::min(passed, longest_look_)), std::memory_order_relaxed);
  }

  // Counted since the first look.
  absl::Duration awake() const { return absl::Nanoseconds(awake_.load(std::memory_order_relaxed)); }
  SteadyTime Now() const { return SteadyTime() + awake(); }

 private:
  const absl::Duration longest_look_;
  SteadyTime watched_ = SteadyTime::InfinitePast();  // the last look
  std::atomic<int64_t> awake_ = 0;                   // nanoseconds
};

}  // namespace troupe

#endif  // TROUPE_COMMON_CLOCK_AWAKE_CLOCK_H_
