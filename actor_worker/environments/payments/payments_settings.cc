#include "actor_worker/environments/payments/payments_settings.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace troupe {

PaymentsSettings ReadPaymentsSettings(SettingsReader& reader) {
  const PaymentsSettings fallback;
  PaymentsSettings s;
  s.routers = static_cast<int>(reader.Integer("routers", fallback.routers, 1, 32, "agents, a router each"));
  s.episode_steps =
      static_cast<int>(reader.Integer("episode_steps", fallback.episode_steps, 1, 100000, "steps of an episode"));
  s.step_ms = reader.Number("step_ms", fallback.step_ms, 1, 1000, "time between a router's choices");
  s.transactions_per_second = reader.Number("transactions_per_second", fallback.transactions_per_second, 0.1, 20000,
                                            "payments of all routers together, mean");
  s.rate_variation = reader.Number("rate_variation", fallback.rate_variation, 0, 1,
                                   "a router's rate is drawn anew within ± this share of its mean");
  s.rate_steps =
      static_cast<int>(reader.Integer("rate_steps", fallback.rate_steps, 1, 100000, "steps for which a rate holds"));
  for (int k = 0; k < kNumChannels; ++k) {
    s.servers[k] = static_cast<int>(
        reader.Integer(absl::StrCat(kChannelTerms[k].name, "_servers"), fallback.servers[k], 1, 1000,
                       absl::StrCat("payments served at once, ", kChannelTerms[k].service_ms, " ms each")));
  }
  s.timeout_ms = reader.Number("timeout_ms", fallback.timeout_ms, 1, 60000,
                               "a payment that would wait longer to be served fails at once");
  s.burst_probability = reader.Number("burst_probability", fallback.burst_probability, 0, 1,
                                      "that an episode has a burst, at a time that is drawn");
  s.burst_factor = reader.Number("burst_factor", fallback.burst_factor, 1, 10, "of all rates while a burst lasts");
  s.burst_steps =
      static_cast<int>(reader.Integer("burst_steps", fallback.burst_steps, 1, 100000, "steps a burst lasts"));
  s.latency_target_ms = reader.Number("latency_target_ms", fallback.latency_target_ms, 1, 60000,
                                      "average latency beyond it is a violation");
  s.risk_target_percent = reader.Number("risk_target_percent", fallback.risk_target_percent, 0.1, 100,
                                        "system risk beyond it is a violation");
  s.cost_weight =
      reader.Number("cost_weight", fallback.cost_weight, 0, 1000, "of the reward, per dollar a payment costs");
  s.latency_weight = reader.Number("latency_weight", fallback.latency_weight, 0, 1000,
                                   "of the reward, per latency_target_ms of latency");
  s.violation_weight = reader.Number("violation_weight", fallback.violation_weight, 0, 1000,
                                     "of the reward, for each target that is missed");
  return s;
}

absl::StatusOr<PaymentsSettings> ParsePaymentsSettings(const SettingsMap& settings) {
  SettingsReader reader(settings);
  const PaymentsSettings parsed = ReadPaymentsSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  return parsed;
}

}  // namespace troupe
