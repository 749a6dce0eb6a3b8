#include "actor_worker/environments/retail/retail.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

// Stocks of so many steps' mean demand are observed as 1.
constexpr double kStockSteps = 5;
// On hand, shipments coming in, last demand, sine and cosine of the season, time left; orders on their way besides.
constexpr int kNumbersBesideOrders = 6;

int NumShips(const RetailSettings& settings) { return settings.transfers ? settings.warehouses - 1 : 0; }

EnvironmentSpec MakeSpec(const RetailSettings& settings) {
  EnvironmentSpec spec;
  spec.name = "retail";
  AgentGroupSpec group{.name = "warehouses", .agents = {}, .action_kind = ActionKind::kContinuous};
  for (int i = 0; i < settings.warehouses; ++i) group.agents.push_back(absl::StrCat("warehouse_", i));
  const double stock = kStockSteps * settings.demand_mean;
  group.observed.push_back({"on_hand", "units", stock, "negative: owed"});
  for (int steps = 1; steps <= settings.lead_time; ++steps) {
    group.observed.push_back({absl::StrCat("ordered_", steps), "units", settings.capacity,
                              absl::StrCat("arrive in ", steps, steps == 1 ? " step" : " steps")});
  }
  group.observed.push_back(
      {"shipped_in", "units", settings.capacity, "of other warehouses, arrive in the coming step"});
  group.observed.push_back({"last_demand", "units", stock, "asked for in the step before"});
  group.observed.push_back({"season_sine", "", 1, "mean demand over the season's mean, as a share of its swing"});
  group.observed.push_back({"season_cosine", "", 1, "above 0 while mean demand rises"});
  group.observed.push_back({"time_left", "", 1, "share of the episode's steps"});
  group.actions.push_back({"order", "-1: nothing, 1: all of the capacity"});
  for (int d = 1; d <= NumShips(settings); ++d) {
    group.actions.push_back({absl::StrCat("ship_", d),
                             absl::StrCat("to the warehouse ", d, " after its own; up to 0: nothing, 1: the limit")});
  }
  group.observation_size = static_cast<int>(group.observed.size());
  group.action_size = static_cast<int>(group.actions.size());
  spec.groups = {std::move(group)};
  spec.state_includes_observations = true;
  spec.statistics = {"cost",         "stock_out_percent", "stock_out_cost", "transfer_cost",
                     "holding_cost", "transfers",         "holding",        "imbalance"};
  return spec;
}

absl::StatusOr<std::unique_ptr<Environment>> CreateRetail(const SettingsMap& settings_map) {
  ASSIGN_OR_RETURN(const RetailSettings settings, ParseRetailSettings(settings_map));
  return std::make_unique<Retail>(settings);
}

std::string DescribeRetail() {
  SettingsReader reader({});
  ReadRetailSettings(reader);
  return reader.Describe();
}

}  // namespace

void WriteRetailAction(const RetailSettings& settings, int warehouse, double order, absl::Span<const double> ships,
                       absl::Span<float> action) {
  action[0] = static_cast<float>(std::clamp(2 * order / settings.capacity - 1, -1.0, 1.0));
  for (int d = 1; d <= NumShips(settings); ++d) {
    const double units = ships[(warehouse + d) % settings.warehouses];
    action[d] = units <= 0 ? -1.0f : static_cast<float>(std::min(units / settings.transfer_limit, 1.0));
  }
}

Retail::Retail(const RetailSettings& settings)
    : settings_(settings),
      spec_(MakeSpec(settings)),
      network_(settings),
      orders_(settings.warehouses),
      shipments_(size_t{1} * settings.warehouses * settings.warehouses) {}

absl::Status Retail::Reset(uint64_t seed) {
  network_.Reset(seed);
  totals_ = {};
  return absl::OkStatus();
}

absl::Status Retail::Step(const JointAction& action, StepOutcome& outcome) {
  const int n = settings_.warehouses;
  const float* chosen = action.groups[0].continuous.data();
  for (int i = 0; i < n; ++i, chosen += spec_.groups[0].action_size) {
    orders_[i] = settings_.capacity * (chosen[0] + 1.0) / 2;
    for (int d = 1; d <= NumShips(settings_); ++d) {
      shipments_[i * n + (i + d) % n] = settings_.transfer_limit * std::max(chosen[d], 0.0f);
    }
  }
  network_.Step(orders_, shipments_);

  double cost = 0, left = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const StockFlows& flows = network_.flows(i);
    cost += network_.cost(i) / n;
    left += flows.left / n;
    squares += flows.left * flows.left / n;
    totals_.demand += flows.demand;
    totals_.unmet += flows.unmet;
    totals_.shipped += flows.shipped;
    totals_.left += flows.left;
  }
  totals_.deviation += std::sqrt(std::max(squares - left * left, 0.0));
  for (int i = 0; i < n; ++i) {
    outcome.rewards[0][i] =
        static_cast<float>(-settings_.shared_reward * cost - (1 - settings_.shared_reward) * network_.cost(i));
  }
  outcome.terminated = network_.step() >= settings_.episode_steps;
  outcome.truncated = false;
  return absl::OkStatus();
}

void Retail::Observe(JointObservation& observation) const {
  GroupObservation& group = observation.groups[0];
  const double stock = kStockSteps * settings_.demand_mean;
  float* out = group.observations.data();
  for (int i = 0; i < settings_.warehouses; ++i) {
    *out++ = static_cast<float>(network_.on_hand(i) / stock);
    for (int steps = 1; steps <= settings_.lead_time; ++steps) {
      *out++ = static_cast<float>(network_.ordered(i, steps) / settings_.capacity);
    }
    *out++ = static_cast<float>(network_.shipped_in(i) / settings_.capacity);
    *out++ = static_cast<float>(network_.flows(i).demand / stock);
    const double phase = static_cast<double>(network_.step() % settings_.season_steps) / settings_.season_steps -
                         settings_.season_spread * i / settings_.warehouses;
    *out++ = static_cast<float>(std::sin(2 * std::numbers::pi * phase));
    *out++ = static_cast<float>(std::cos(2 * std::numbers::pi * phase));
    *out++ = 1.0f - static_cast<float>(network_.step()) / static_cast<float>(settings_.episode_steps);
    group.alive[i] = 1;
  }
}

void Retail::EpisodeStatistics(absl::Span<double> statistics) const {
  const double n = settings_.warehouses, steps = std::max(network_.step(), 1);
  const double stock_out = settings_.stock_out_cost * totals_.unmet / n;
  const double transfer = settings_.transfer_cost * totals_.shipped / n;
  const double holding = settings_.holding_cost * totals_.left / n;
  statistics[0] = stock_out + transfer + holding;
  statistics[1] = totals_.demand > 0 ? 100 * totals_.unmet / totals_.demand : 0;
  statistics[2] = stock_out;
  statistics[3] = transfer;
  statistics[4] = holding;
  statistics[5] = totals_.shipped / n;
  statistics[6] = totals_.left / n / steps;
  statistics[7] = totals_.deviation / steps;
}

std::string Retail::Render() const {
  std::string text = absl::StrFormat("step %d of %d; units\n%-14s %8s %8s %8s %8s %8s %8s %8s\n", network_.step(),
                                     settings_.episode_steps, "", "on hand", "on way", "expected", "asked", "unmet",
                                     "shipped", "cost $");
  for (int i = 0; i < settings_.warehouses; ++i) {
    const StockFlows& flows = network_.flows(i);
    absl::StrAppendFormat(&text, "%-14s %8.2f %8.2f %8.2f %8.2f %8.2f %8.2f %8.2f  %s\n", spec_.groups[0].agents[i],
                          network_.on_hand(i), network_.position(i) - network_.on_hand(i),
                          MeanDemand(settings_, i, network_.step()), flows.demand, flows.unmet, flows.shipped,
                          network_.cost(i),
                          std::string(static_cast<size_t>(std::clamp(network_.on_hand(i), 0.0, 40.0)), '#'));
  }
  return text;
}

// Declared and listed in actor_worker/environments/registry/registry.cc.
EnvironmentEntry RetailEntry() {
  return {.name = "retail",
          .summary = "warehouses that order and ship to each other for seasonal customers, with continuous actions",
          .create = CreateRetail,
          .baselines = RetailBaselines,
          .describe_settings = DescribeRetail};
}

}  // namespace troupe
