#include "actor_worker/environments/payments/payment_network.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace troupe {
namespace {

void Add(const PaymentSums& from, double keep, PaymentSums& to) {
  to.payments = keep * to.payments + from.payments;
  to.failed = keep * to.failed + from.failed;
  to.latency_ms = keep * to.latency_ms + from.latency_ms;
  to.risk = keep * to.risk + from.risk;
  to.dollars = keep * to.dollars + from.dollars;
  for (int k = 0; k < kNumChannels; ++k) to.service_ms[k] = keep * to.service_ms[k] + from.service_ms[k];
}

}  // namespace

PaymentNetwork::PaymentNetwork(const PaymentsSettings& settings)
    : settings_(settings), pending_(settings.routers), rates_(settings.routers) {
  for (const int servers : settings.servers) queues_.emplace_back(servers, settings.timeout_ms);
}

void PaymentNetwork::Reset(uint64_t seed) {
  random_ = RandomStream(MixKey({seed}));
  for (ChannelQueue& queue : queues_) queue.Clear();
  std::fill(pending_.begin(), pending_.end(), 0);
  last_ = recent_ = total_ = {};
  step_ = 0;
  const bool burst = random_.UniformDouble() < settings_.burst_probability;
  const int latest = std::max(settings_.episode_steps - settings_.burst_steps, 0);
  const int begin = static_cast<int>(random_.Below(latest + 1));
  burst_begin_ = burst ? begin : std::numeric_limits<int>::max() - settings_.burst_steps;
}

void PaymentNetwork::DrawRates() {
  for (double& rate : rates_) {
    const double factor = 1 + settings_.rate_variation * (2 * random_.UniformDouble() - 1);
    rate = factor * settings_.transactions_per_second / 1000 / settings_.routers;
  }
}

void PaymentNetwork::Step(absl::Span<const int32_t> channels) {
  if (step_ % settings_.rate_steps == 0) DrawRates();
  const double factor = in_burst() ? settings_.burst_factor : 1;
  const double rate = factor * std::accumulate(rates_.begin(), rates_.end(), 0.0);
  last_ = {};
  // All routers' payments as one Poisson process, each payment a router's by its share of the rate. Waiting for the
  // next one has no memory, so every step may begin to wait anew.
  const double end = (step_ + 1) * settings_.step_ms;
  for (double now = step_ * settings_.step_ms; rate > 0;) {
    now += random_.Exponential(rate);
    if (now >= end) break;
    double drawn = random_.UniformDouble() * rate / factor;
    int router = 0;
    while (router + 1 < settings_.routers && drawn >= rates_[router]) drawn -= rates_[router++];
    Send(now, router, channels[router]);
  }
  for (ChannelQueue& queue : queues_) queue.Settle(end, absl::MakeSpan(pending_));
  Add(last_, std::exp(-settings_.step_ms / kMemoryMs), recent_);
  Add(last_, 1, total_);
  ++step_;
}

void PaymentNetwork::Send(double now, int router, int channel) {
  const ChannelTerms& terms = kChannelTerms[channel];
  const double service_ms = random_.Exponential(1 / terms.service_ms);
  const std::optional<double> done = queues_[channel].Arrive(now, service_ms, router);
  ++last_.payments;
  if (!done) {
    ++last_.failed;
    ++last_.risk;
    last_.latency_ms += settings_.timeout_ms;
    return;
  }
  ++pending_[router];
  last_.latency_ms += *done - now;
  last_.risk += terms.risk;
  last_.dollars += terms.dollars;
  last_.service_ms[channel] += service_ms;
}

double PaymentNetwork::reward() const {
  return -settings_.cost_weight * last_.mean_dollars() -
         settings_.latency_weight * last_.mean_latency_ms() / settings_.latency_target_ms -
         settings_.violation_weight * (latency_violated() + risk_violated());
}

}  // namespace troupe
