// Routers that choose a channel for their payments: an agent each. The model is payment_network.h's.
//
// Action: the channel of the router's next batch. Reward: PaymentNetwork::reward(), the same for all.
// After episode_steps an episode is truncated: payments go on coming.
//
// Observation: what the router has pending, and of the system its risk, its channels' loads and its average latency.
// Global state: all observations. Statistics, for the whole episode:
//   latency_ms, cost, risk_percent   of a payment, mean; cost in dollars
//   latency_violations_percent, risk_violations_percent   of the steps after which the target was missed
//   failed_percent    of the payments
//   peak_latency_ms   the highest average latency after a step
//   utilisation_NAME  of a channel: time its servers' payments take over time its servers have
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_PAYMENTS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_PAYMENTS_H_

#include <string>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/payments/payment_network.h"

namespace troupe {

class Payments final : public Environment {
 public:
  explicit Payments(const PaymentsSettings& settings);

  const EnvironmentSpec& spec() const override { return spec_; }
  absl::Status Reset(uint64_t seed) override;
  absl::Status Step(const JointAction& action, StepOutcome& outcome) override;
  void Observe(JointObservation& observation) const override;
  void EpisodeStatistics(absl::Span<double> statistics) const override;
  std::string Render() const override;
  void Draw(Scene& scene) const override;

  const PaymentNetwork& network() const { return network_; }

 private:
  const PaymentsSettings settings_;
  EnvironmentSpec spec_;
  PaymentNetwork network_;
  std::vector<int32_t> channels_;  // of the last step
  int latency_violations_ = 0, risk_violations_ = 0;
  double peak_latency_ms_ = 0;
};

std::vector<Baseline> PaymentsBaselines(const SettingsMap& settings);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_PAYMENTS_H_
