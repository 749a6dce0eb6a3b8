// A payment channel as a queue with several servers, first come, first served: with Poisson arrivals M/M/c, but for
// those who give up.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_CHANNEL_QUEUE_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_CHANNEL_QUEUE_H_

#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"

namespace troupe {

// Times in ms since the episode's begin. Not thread-safe. What is in the channel at once is bounded by what its servers
// do within the timeout.
class ChannelQueue {
 public:
  ChannelQueue(int servers, double timeout_ms);

  void Clear();
  // A payment of `router` arrives at `now`, not before the one before it, and will be served for service_ms. Returns
  // when it is done, or nothing: it would have waited longer than the timeout and is not made.
  std::optional<double> Arrive(double now, double service_ms, int router);
  // Forgets what is done by `now`; each payment of router r takes one off pending[r].
  void Settle(double now, absl::Span<int> pending);

  int in_channel() const { return static_cast<int>(settling_.size()); }
  int servers() const { return static_cast<int>(free_at_.size()); }

 private:
  const double timeout_ms_;
  std::vector<double> free_at_;                   // a heap, the first server to be free on top
  std::vector<std::pair<double, int>> settling_;  // a heap: done at, router
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_CHANNEL_QUEUE_H_
