#include "actor_worker/environments/payments/payments.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

// A load at which half of the payments wait in line is observed as 1.
constexpr double kLoadScale = 2;

// What a router has pending when all that comes to it takes the latency target is observed as 1.
double PendingScale(const PaymentsSettings& settings) {
  return settings.transactions_per_second / settings.routers * settings.latency_target_ms / 1000;
}

EnvironmentSpec MakeSpec(const PaymentsSettings& settings) {
  EnvironmentSpec spec;
  spec.name = "payments";
  AgentGroupSpec group{
      .name = "routers", .agents = {}, .action_kind = ActionKind::kDiscrete, .action_size = kNumChannels};
  for (int i = 0; i < settings.routers; ++i) group.agents.push_back(absl::StrCat("router_", i));
  group.observed = {{"pending", "payments", PendingScale(settings), "the router's own, sent and not done"},
                    {"system_risk", "%", settings.risk_target_percent, "mean over payments of the last second or so"}};
  for (const ChannelTerms& terms : kChannelTerms) {
    group.observed.push_back(
        {absl::StrCat(terms.name, "_load"), "", kLoadScale, "payments in the channel over its servers"});
    group.actions.push_back({terms.name, absl::StrFormat("%.0f ms, risk %.0f %%, $%.2f", terms.service_ms,
                                                         100 * terms.risk, terms.dollars)});
  }
  group.observed.push_back({"average_latency", "ms", settings.latency_target_ms, "of the last second or so"});
  group.observation_size = static_cast<int>(group.observed.size());
  spec.groups = {std::move(group)};
  spec.state_includes_observations = true;
  spec.statistics = {
      "latency_ms",     "cost",           "risk_percent", "latency_violations_percent", "risk_violations_percent",
      "failed_percent", "peak_latency_ms"};
  for (const ChannelTerms& terms : kChannelTerms) spec.statistics.push_back(absl::StrCat("utilisation_", terms.name));
  return spec;
}

absl::StatusOr<std::unique_ptr<Environment>> CreatePayments(const SettingsMap& settings_map) {
  ASSIGN_OR_RETURN(const PaymentsSettings settings, ParsePaymentsSettings(settings_map));
  return std::make_unique<Payments>(settings);
}

std::string DescribePayments() {
  SettingsReader reader({});
  ReadPaymentsSettings(reader);
  return reader.Describe();
}

}  // namespace

Payments::Payments(const PaymentsSettings& settings)
    : settings_(settings), spec_(MakeSpec(settings)), network_(settings), channels_(settings.routers, kInternal) {}

absl::Status Payments::Reset(uint64_t seed) {
  network_.Reset(seed);
  std::fill(channels_.begin(), channels_.end(), kInternal);
  latency_violations_ = risk_violations_ = 0;
  peak_latency_ms_ = 0;
  return absl::OkStatus();
}

absl::Status Payments::Step(const JointAction& action, StepOutcome& outcome) {
  std::copy(action.groups[0].discrete.begin(), action.groups[0].discrete.end(), channels_.begin());
  network_.Step(channels_);
  latency_violations_ += network_.latency_violated();
  risk_violations_ += network_.risk_violated();
  peak_latency_ms_ = std::max(peak_latency_ms_, network_.average_latency_ms());
  std::fill(outcome.rewards[0].begin(), outcome.rewards[0].end(), static_cast<float>(network_.reward()));
  outcome.terminated = false;
  outcome.truncated = network_.step() >= settings_.episode_steps;
  return absl::OkStatus();
}

void Payments::Observe(JointObservation& observation) const {
  GroupObservation& group = observation.groups[0];
  float* out = group.observations.data();
  for (int i = 0; i < settings_.routers; ++i) {
    *out++ = static_cast<float>(network_.pending(i) / PendingScale(settings_));
    *out++ = static_cast<float>(100 * network_.system_risk() / settings_.risk_target_percent);
    for (int k = 0; k < kNumChannels; ++k) *out++ = static_cast<float>(network_.load(k) / kLoadScale);
    *out++ = static_cast<float>(network_.average_latency_ms() / settings_.latency_target_ms);
    group.alive[i] = 1;
  }
  std::fill(group.action_mask.begin(), group.action_mask.end(), 1);
}

void Payments::EpisodeStatistics(absl::Span<double> statistics) const {
  const PaymentSums& total = network_.total();
  const double steps = std::max(network_.step(), 1), payments = std::max(total.payments, 1.0);
  statistics[0] = total.mean_latency_ms();
  statistics[1] = total.mean_dollars();
  statistics[2] = 100 * total.mean_risk();
  statistics[3] = 100 * latency_violations_ / steps;
  statistics[4] = 100 * risk_violations_ / steps;
  statistics[5] = 100 * total.failed / payments;
  statistics[6] = peak_latency_ms_;
  for (int k = 0; k < kNumChannels; ++k) {
    statistics[7 + k] = total.service_ms[k] / (settings_.servers[k] * steps * settings_.step_ms);
  }
}

std::string Payments::Render() const {
  std::string text =
      absl::StrFormat("step %d of %d%s; average latency %.0f ms, system risk %.1f %%, last step $%.2f each\n",
                      network_.step(), settings_.episode_steps, network_.in_burst() ? ", burst" : "",
                      network_.average_latency_ms(), 100 * network_.system_risk(), network_.last().mean_dollars());
  for (int k = 0; k < kNumChannels; ++k) {
    std::string routers;
    for (int i = 0; i < settings_.routers; ++i) {
      if (channels_[i] == k)
        absl::StrAppend(&routers, routers.empty() ? "" : " ", i, "(", network_.pending(i), " pending)");
    }
    absl::StrAppendFormat(&text, "%-11s load %5.2f %-41s routers %s\n", kChannelTerms[k].name, network_.load(k),
                          std::string(static_cast<size_t>(std::clamp(20 * network_.load(k), 0.0, 40.0)), '#'), routers);
  }
  return text;
}

// Declared and listed in actor_worker/environments/registry/registry.cc.
EnvironmentEntry PaymentsEntry() {
  return {.name = "payments",
          .summary = "routers that send payments through channels of different speed, risk and price",
          .create = CreatePayments,
          .baselines = PaymentsBaselines,
          .describe_settings = DescribePayments};
}

}  // namespace troupe
