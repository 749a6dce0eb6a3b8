// Moments of the steady clock, which nobody sets. What lasts, expires or is waited for goes by it; the wall clock
// (absl::Now) is for what people read: the time in front of a log's line, timestamps of records.
#ifndef TROUPE_COMMON_CLOCK_STEADY_TIME_H_
#define TROUPE_COMMON_CLOCK_STEADY_TIME_H_

#include <chrono>
#include <compare>

#include "absl/time/time.h"

namespace troupe {

// Means nothing outside of the process; a type of its own, so that it is not taken for a date.
class SteadyTime {
 public:
  // The clock's beginning.
  constexpr SteadyTime() = default;

  static SteadyTime Now() { return SteadyTime(absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch())); }
  static constexpr SteadyTime InfinitePast() { return SteadyTime(-absl::InfiniteDuration()); }
  static constexpr SteadyTime InfiniteFuture() { return SteadyTime(absl::InfiniteDuration()); }

  SteadyTime& operator+=(absl::Duration duration) {
    since_beginning_ += duration;
    return *this;
  }
  friend SteadyTime operator+(SteadyTime time, absl::Duration duration) { return time += duration; }
  friend SteadyTime operator-(SteadyTime time, absl::Duration duration) { return time += -duration; }
  friend absl::Duration operator-(SteadyTime later, SteadyTime earlier) {
    return later.since_beginning_ - earlier.since_beginning_;
  }
  friend constexpr bool operator==(SteadyTime a, SteadyTime b) { return a.since_beginning_ == b.since_beginning_; }
  friend constexpr std::strong_ordering operator<=>(SteadyTime a, SteadyTime b) {
    if (a.since_beginning_ == b.since_beginning_) return std::strong_ordering::equal;
    return a.since_beginning_ < b.since_beginning_ ? std::strong_ordering::less : std::strong_ordering::greater;
  }

 private:
  constexpr explicit SteadyTime(absl::Duration since_beginning) : since_beginning_(since_beginning) {}

  absl::Duration since_beginning_;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_CLOCK_STEADY_TIME_H_
