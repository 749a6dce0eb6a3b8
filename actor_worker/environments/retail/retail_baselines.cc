// base_stock, seasonal and seasonal_shipping: base_stock.h's rules, tuned for the environment's settings when the first
// of them is made; optimal: retail_optimum.h, where it knows one.
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actor_worker/environments/retail/base_stock.h"
#include "actor_worker/environments/retail/retail.h"
#include "actor_worker/environments/retail/retail_optimum.h"

namespace troupe {
namespace {

// Orders and ships by a function of the network.
template <typename Decision>
class StockController final : public Controller {
 public:
  explicit StockController(Decision decide) : decide_(std::move(decide)) {}
  void Begin(const Environment& environment) override {
    const size_t n = static_cast<const Retail&>(environment).network().settings().warehouses;
    orders_.assign(n, 0.0);
    shipments_.assign(n * n, 0.0);
  }
  void Act(const Environment& environment, const JointObservation&, std::vector<absl::Span<int32_t>>&,
           std::vector<absl::Span<float>>& continuous_actions) override {
    const StockNetwork& network = static_cast<const Retail&>(environment).network();
    decide_(network, absl::MakeSpan(orders_), absl::MakeSpan(shipments_));
    const size_t n = orders_.size(), width = continuous_actions[0].size() / n;
    for (size_t i = 0; i < n; ++i) {
      WriteRetailAction(network.settings(), static_cast<int>(i), orders_[i],
                        absl::MakeConstSpan(shipments_).subspan(i * n, n),
                        continuous_actions[0].subspan(i * width, width));
    }
  }

 private:
  const Decision decide_;
  std::vector<double> orders_, shipments_;
};

template <typename Decision>
std::unique_ptr<Controller> MakeStockController(Decision decide) {
  return std::make_unique<StockController<Decision>>(std::move(decide));
}

// What was found for these settings; looked for once, by whichever thread asks first.
template <typename Found>
class Lazily {
 public:
  using Find = Found (*)(const RetailSettings&);
  Lazily(const RetailSettings& settings, Find find) : settings_(settings), find_(find) {}
  const Found& Get() {
    std::call_once(once_, [this] { found_ = find_(settings_); });
    return found_;
  }

 private:
  const RetailSettings settings_;
  const Find find_;
  std::once_flag once_;
  Found found_;
};

Baseline RuleBaseline(const std::string& name, std::shared_ptr<Lazily<TunedRules>> tuned, OrderRule TunedRules::*rule) {
  return {
      .name = name, .setting_overrides = {}, .make = [tuned, rule] {
        return MakeStockController([chosen = tuned->Get().*rule](const StockNetwork& network, absl::Span<double> orders,
                                                                 absl::Span<double> shipments) {
          Decide(chosen, network, orders, shipments);
        });
      }};
}

}  // namespace

std::vector<Baseline> RetailBaselines(const SettingsMap& settings_map) {
  // What cannot be read is refused where the environment is created.
  const RetailSettings settings = ParseRetailSettings(settings_map).value_or(RetailSettings{});
  const auto tuned = std::make_shared<Lazily<TunedRules>>(settings, &TuneRules);
  std::vector<Baseline> baselines = {RuleBaseline("base_stock", tuned, &TunedRules::base_stock),
                                     RuleBaseline("seasonal", tuned, &TunedRules::seasonal)};
  if (settings.transfers && settings.warehouses > 1) {
    baselines.push_back(RuleBaseline("seasonal_shipping", tuned, &TunedRules::seasonal_shipping));
  }
  if (const std::shared_ptr<const RetailOptimum> optimum = RetailOptimum::Solve(settings)) {
    baselines.push_back({.name = "optimal", .setting_overrides = {}, .make = [optimum] {
                           return MakeStockController(
                               [optimum](const StockNetwork& network, absl::Span<double> orders, absl::Span<double>) {
                                 orders[0] = optimum->Order(network);
                               });
                         }});
  }
  return baselines;
}

}  // namespace troupe
