#include "actor_worker/environments/retail/base_stock.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace troupe {
namespace {

// Mean demand of a warehouse in the coming `steps` steps.
double Forecast(const StockNetwork& network, int warehouse, int steps) {
  double sum = 0;
  for (int k = 0; k < steps; ++k) sum += network.mean_demand(warehouse, network.step() + k);
  return sum;
}

double LevelOf(const OrderRule& rule, const StockNetwork& network, int warehouse) {
  if (rule.horizon == 0) return rule.level;
  const double mean = Forecast(network, warehouse, rule.horizon);
  return mean + rule.safety * std::sqrt(network.settings().demand_lot * mean);
}

void DecideShipments(const OrderRule& rule, const StockNetwork& network, absl::Span<double> shipments) {
  const RetailSettings& settings = network.settings();
  const int n = settings.warehouses;
  double needs = 0, surpluses = 0;
  std::vector<double> need(n), surplus(n);
  for (int i = 0; i < n; ++i) {
    double coming = network.on_hand(i) + network.shipped_in(i);
    for (int k = 1; k <= std::min(rule.look, settings.lead_time); ++k) coming += network.ordered(i, k);
    // A shipment arrives a step late: demand of the coming step is not its matter.
    const double soon = Forecast(network, i, rule.look + 1) - Forecast(network, i, 1);
    need[i] = std::max(soon - coming, 0.0);
    surplus[i] = std::max(network.on_hand(i) - rule.keep * Forecast(network, i, rule.look + 2), 0.0);
    needs += need[i];
    surpluses += surplus[i];
  }
  if (needs <= 0 || surpluses <= 0) return;
  const double share = std::min(1 / needs, 1 / surpluses);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      if (i != j) shipments[i * n + j] = std::min(surplus[i] * need[j] * share, settings.transfer_limit);
    }
  }
}

// Keeps the cheapest rule that it was shown.
class Search {
 public:
  explicit Search(const RetailSettings& settings) : settings_(settings) {}
  void Try(const OrderRule& rule) {
    const double cost = MeanCost(settings_, rule, kRetailTuningSeed, RetailTuningEpisodes(settings_));
    if (cost < lowest_) lowest_ = cost, best_ = rule;
  }
  const OrderRule& best() const { return best_; }

 private:
  const RetailSettings& settings_;
  double lowest_ = std::numeric_limits<double>::infinity();
  OrderRule best_;
};

OrderRule TuneSeasonal(const RetailSettings& settings) {
  Search search(settings);
  for (int horizon = 1; horizon <= settings.lead_time + 12; ++horizon) {
    for (double safety = 0; safety <= 4; safety += 0.25) search.Try({.horizon = horizon, .safety = safety});
  }
  return search.best();
}

// Near the best rule that does not ship: who can be helped out needs less of a reserve.
OrderRule TuneShipping(const RetailSettings& settings, const OrderRule& seasonal) {
  Search search(settings);
  search.Try(seasonal);
  for (int horizon = std::max(seasonal.horizon - 4, 1); horizon <= seasonal.horizon; horizon += 2) {
    for (double safety = std::max(seasonal.safety - 0.75, 0.0); safety <= seasonal.safety; safety += 0.25) {
      for (int look = 1; look <= 6; ++look) {
        for (const double keep : {0.5, 1.0, 1.5, 2.0}) {
          search.Try({.horizon = horizon, .safety = safety, .ship = true, .look = look, .keep = keep});
        }
      }
    }
  }
  return search.best();
}

}  // namespace

void Decide(const OrderRule& rule, const StockNetwork& network, absl::Span<double> orders,
            absl::Span<double> shipments) {
  const int n = network.settings().warehouses;
  for (int i = 0; i < n; ++i) {
    orders[i] = std::clamp(LevelOf(rule, network, i) - network.position(i), 0.0, network.settings().capacity);
  }
  std::fill(shipments.begin(), shipments.end(), 0.0);
  if (rule.ship && network.settings().transfers) DecideShipments(rule, network, shipments);
}

double MeanCost(const RetailSettings& settings, const OrderRule& rule, uint64_t first_seed, int episodes) {
  StockNetwork network(settings);
  const int n = settings.warehouses;
  std::vector<double> orders(n), shipments(size_t{1} * n * n);
  double sum = 0;
  for (int episode = 0; episode < episodes; ++episode) {
    network.Reset(first_seed + episode);
    for (int step = 0; step < settings.episode_steps; ++step) {
      Decide(rule, network, absl::MakeSpan(orders), absl::MakeSpan(shipments));
      network.Step(orders, shipments);
      for (int i = 0; i < n; ++i) sum += network.cost(i);
    }
  }
  return sum / n / episodes;
}

int RetailTuningEpisodes(const RetailSettings& settings) { return std::clamp(5200 / settings.episode_steps, 2, 200); }

OrderRule TuneBaseStock(const RetailSettings& settings) {
  // Peak demand until an order that is placed now is sold, and six standard deviations.
  const double covered = settings.demand_mean * (1 + settings.season_amplitude) * (settings.lead_time + 1);
  const double highest = covered + 6 * std::sqrt(settings.demand_lot * covered) + settings.demand_lot;
  const double step = std::max(settings.demand_lot / 4, highest / 256);
  Search search(settings);
  for (double level = 0; level <= highest; level += step) search.Try({.level = level});
  return search.best();
}

TunedRules TuneRules(const RetailSettings& settings) {
  TunedRules rules{.base_stock = TuneBaseStock(settings), .seasonal = TuneSeasonal(settings), .seasonal_shipping = {}};
  if (settings.transfers && settings.warehouses > 1) rules.seasonal_shipping = TuneShipping(settings, rules.seasonal);
  return rules;
}

}  // namespace troupe
