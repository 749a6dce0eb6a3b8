// How long to wait before trying again.
#ifndef TROUPE_ACTOR_WORKER_STREAM_BACKOFF_H_
#define TROUPE_ACTOR_WORKER_STREAM_BACKOFF_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"
#include "common/base/random.h"

namespace troupe {

// Exponential, doubling from `first` to `longest`, each delay drawn evenly from the upper half of its span so that
// workers that lost the same learner do not come back together. Not thread-safe.
class Backoff {
 public:
  Backoff(absl::Duration first, absl::Duration longest, uint64_t seed)
      : first_(first), longest_(longest), span_(first), jitter_(seed) {}

  absl::Duration Next() {
    const absl::Duration delay = span_ * (0.5 + 0.5 * jitter_.UniformDouble());
    span_ = std::min(span_ * 2, longest_);
    return delay;
  }
  // After a success.
  void Reset() { span_ = first_; }

 private:
  const absl::Duration first_, longest_;
  absl::Duration span_;
  RandomStream jitter_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_STREAM_BACKOFF_H_
