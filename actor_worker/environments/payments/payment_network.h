// Routers that send payments through channels: the model behind the environment payments, without agents.
//
// Payments come to the routers by Poisson's law. In a step every router sends its batch, all that comes to it within
// the step, through one channel, each payment as it comes. A channel serves so many payments at once, each for an
// exponential time of the mean that kChannelTerms says; the others wait in line. Latency = waiting + service.
//
// A router's rate is transactions_per_second / routers, times a factor drawn anew every rate_steps within
// 1 ± rate_variation, times burst_factor while a burst lasts.
//
// Risk of a payment: its channel's; 1 if it failed, for it would have waited longer than timeout_ms (its latency counts
// as timeout_ms and it costs nothing). The system's risk, the portfolio's, is the mean over payments, of late ones
// more: weights fall by e within kMemoryMs; the average latency is the same mean.
//
// What comes when, and how long it takes relative to its channel's mean, follows from the seed alone.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_PAYMENT_NETWORK_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_PAYMENT_NETWORK_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "actor_worker/environments/payments/channel_queue.h"
#include "actor_worker/environments/payments/payments_settings.h"
#include "common/base/random.h"

namespace troupe {

inline constexpr double kMemoryMs = 1000;

// Sums over payments.
struct PaymentSums {
  double payments = 0, failed = 0, latency_ms = 0, risk = 0, dollars = 0;
  std::array<double, kNumChannels> service_ms{};  // of what was served

  double mean_latency_ms() const { return payments > 0 ? latency_ms / payments : 0; }
  double mean_risk() const { return payments > 0 ? risk / payments : 0; }
  double mean_dollars() const { return payments > 0 ? dollars / payments : 0; }
};

// Not thread-safe.
class PaymentNetwork {
 public:
  explicit PaymentNetwork(const PaymentsSettings& settings);

  void Reset(uint64_t seed);
  // channels [routers], each in [0, kNumChannels).
  void Step(absl::Span<const int32_t> channels);

  const PaymentsSettings& settings() const { return settings_; }
  int step() const { return step_; }
  // Sent by a router and not done yet.
  int pending(int router) const { return pending_[router]; }
  // In service or waiting, over the servers: above 1 there is a line.
  double load(int channel) const {
    return static_cast<double>(queues_[channel].in_channel()) / queues_[channel].servers();
  }
  double system_risk() const { return recent_.mean_risk(); }
  double average_latency_ms() const { return recent_.mean_latency_ms(); }
  bool latency_violated() const { return average_latency_ms() > settings_.latency_target_ms; }
  bool risk_violated() const { return 100 * system_risk() > settings_.risk_target_percent; }
  bool in_burst() const { return step_ >= burst_begin_ && step_ < burst_begin_ + settings_.burst_steps; }
  // Of the payments that came in the last step, and of all.
  const PaymentSums& last() const { return last_; }
  const PaymentSums& total() const { return total_; }
  // What the last step is worth to each router:
  // −(cost_weight × mean dollars + latency_weight × mean latency / latency_target_ms + violation_weight × targets
  // missed)
  double reward() const;

 private:
  void DrawRates();
  void Send(double now, int router, int channel);

  const PaymentsSettings settings_;
  RandomStream random_{0};
  std::vector<ChannelQueue> queues_;
  std::vector<int> pending_;
  std::vector<double> rates_;  // per ms, by router
  PaymentSums last_, recent_, total_;
  int step_ = 0, burst_begin_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_PAYMENT_NETWORK_H_
