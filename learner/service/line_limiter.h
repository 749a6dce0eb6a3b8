// Keeps peers from filling the log: of each kind of line only so many are said, the others are counted.
#ifndef TROUPE_LEARNER_SERVICE_LINE_LIMITER_H_
#define TROUPE_LEARNER_SERVICE_LINE_LIMITER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/clock/steady_time.h"

namespace troupe {

// A token bucket per kind: a fleet that joins at once is told of in full, a peer that joins and leaves in a loop costs
// 8,640 lines of a kind a day. Not thread-safe. Time is passed in.
class LineLimiter {
 public:
  static constexpr int kAtOnce = 64;
  static constexpr absl::Duration kPeriod = absl::Seconds(10);  // gives one line back

  // Whether a line of `kind` may be said now. Kinds are few and fixed.
  bool Admit(std::string_view kind, SteadyTime now);
  // What to say now of the lines that were not; each is counted once.
  std::vector<std::string> TellLeftOut(SteadyTime now);

 private:
  struct Kind {
    int left = kAtOnce;
    SteadyTime since;  // the line that comes back next began to
    uint64_t left_out = 0;
  };
  static void Refill(Kind* kind, SteadyTime now);

  std::map<std::string, Kind, std::less<>> kinds_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_LINE_LIMITER_H_
