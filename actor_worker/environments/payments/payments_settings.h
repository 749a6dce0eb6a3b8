// The settings of the environment payments.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_PAYMENTS_SETTINGS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_PAYMENTS_SETTINGS_H_

#include <array>

#include "actor_worker/environments/environment.h"
#include "common/config/settings_reader.h"

namespace troupe {

enum PaymentChannel { kInternal, kExternal, kBlockchain, kNumChannels };

// What is fixed about a channel.
struct ChannelTerms {
  const char* name;
  double service_ms;  // mean time of a payment once it is served
  double risk;        // that it goes wrong
  double dollars;     // that it costs
};
inline constexpr std::array<ChannelTerms, kNumChannels> kChannelTerms = {
    {{"internal", 20, 0.03, 0.10}, {"external", 80, 0.02, 0.50}, {"blockchain", 200, 0.01, 2.00}}};

struct PaymentsSettings {
  int routers = 3;
  int episode_steps = 300;
  double step_ms = 100;
  double transactions_per_second = 540;  // of all routers
  double rate_variation = 0.3;
  int rate_steps = 10;
  std::array<int, kNumChannels> servers = {10, 16, 40};
  double timeout_ms = 1000;
  double burst_probability = 0;
  double burst_factor = 1.4;
  int burst_steps = 60;
  double latency_target_ms = 100;
  double risk_target_percent = 5;
  double cost_weight = 1;
  double latency_weight = 0.1;
  double violation_weight = 1;
};

// Asks for every setting, with default, range and meaning.
PaymentsSettings ReadPaymentsSettings(SettingsReader& reader);

// Errors: INVALID_ARGUMENT naming the setting.
absl::StatusOr<PaymentsSettings> ParsePaymentsSettings(const SettingsMap& settings);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_PAYMENTS_SETTINGS_H_
