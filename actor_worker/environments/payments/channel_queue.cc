#include "actor_worker/environments/payments/channel_queue.h"

#include <algorithm>
#include <functional>

namespace troupe {
namespace {

// Payments in a channel at once, before its memory grows.
constexpr int kReserved = 1024;

}  // namespace

ChannelQueue::ChannelQueue(int servers, double timeout_ms) : timeout_ms_(timeout_ms), free_at_(servers, 0.0) {
  settling_.reserve(kReserved);
}

void ChannelQueue::Clear() {
  std::fill(free_at_.begin(), free_at_.end(), 0.0);
  settling_.clear();
}

std::optional<double> ChannelQueue::Arrive(double now, double service_ms, int router) {
  const double begins = std::max(now, free_at_.front());
  if (begins - now > timeout_ms_) return std::nullopt;
  const double done = begins + service_ms;
  std::pop_heap(free_at_.begin(), free_at_.end(), std::greater<>());
  free_at_.back() = done;
  std::push_heap(free_at_.begin(), free_at_.end(), std::greater<>());
  settling_.emplace_back(done, router);
  std::push_heap(settling_.begin(), settling_.end(), std::greater<>());
  return done;
}

void ChannelQueue::Settle(double now, absl::Span<int> pending) {
  while (!settling_.empty() && settling_.front().first <= now) {
    --pending[settling_.front().second];
    std::pop_heap(settling_.begin(), settling_.end(), std::greater<>());
    settling_.pop_back();
  }
}

}  // namespace troupe
