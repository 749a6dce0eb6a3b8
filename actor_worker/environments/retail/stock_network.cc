#include "actor_worker/environments/retail/stock_network.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace troupe {

double MeanDemand(const RetailSettings& settings, int warehouse, int step) {
  const double phase = static_cast<double>(step % settings.season_steps) / settings.season_steps -
                       settings.season_spread * warehouse / settings.warehouses;
  return settings.demand_mean * (1 + settings.season_amplitude * std::sin(2 * std::numbers::pi * phase));
}

int PoissonQuantile(double mean, double u) {
  double probability = std::exp(-mean), below = probability;
  int count = 0;
  // Rounding can leave `below` short of a u close to 1: the tail is cut where its terms no longer add anything.
  while (u >= below && (count < mean || probability > 1e-18)) {
    ++count;
    probability *= mean / count;
    below += probability;
  }
  return count;
}

StockNetwork::StockNetwork(const RetailSettings& settings)
    : settings_(settings),
      means_(size_t{1} * settings.season_steps * settings.warehouses),
      on_hand_(settings.warehouses),
      pipeline_(size_t{1} * settings.lead_time * settings.warehouses),
      shipped_in_(settings.warehouses),
      arriving_(settings.warehouses),
      flows_(settings.warehouses) {
  for (int step = 0; step < settings.season_steps; ++step) {
    for (int i = 0; i < settings.warehouses; ++i) {
      means_[step * settings.warehouses + i] = MeanDemand(settings, i, step);
    }
  }
}

void StockNetwork::Reset(uint64_t seed) {
  demand_ = RandomStream(MixKey({seed}));
  std::fill(on_hand_.begin(), on_hand_.end(), settings_.initial_stock);
  std::fill(pipeline_.begin(), pipeline_.end(), std::min(settings_.demand_mean, settings_.capacity));
  std::fill(shipped_in_.begin(), shipped_in_.end(), 0.0);
  std::fill(flows_.begin(), flows_.end(), StockFlows{});
  step_ = 0;
}

void StockNetwork::Step(absl::Span<const double> orders, absl::Span<const double> shipments) {
  Ship(shipments);
  Order(orders);
  Sell();
  ++step_;
}

// What leaves is gone before anything arrives; what left in the step before arrives.
void StockNetwork::Ship(absl::Span<const double> shipments) {
  const int n = settings_.warehouses;
  std::swap(arriving_, shipped_in_);
  std::fill(shipped_in_.begin(), shipped_in_.end(), 0.0);
  for (int i = 0; i < n; ++i) flows_[i].shipped = 0;
  if (settings_.transfers) {
    const auto wanted = [&](int i, int j) {
      return i == j ? 0.0 : std::clamp(shipments[i * n + j], 0.0, settings_.transfer_limit);
    };
    for (int i = 0; i < n; ++i) {
      double sum = 0;
      for (int j = 0; j < n; ++j) sum += wanted(i, j);
      const double available = std::max(on_hand_[i], 0.0), share = sum > available ? available / sum : 1;
      for (int j = 0; j < n; ++j) shipped_in_[j] += share * wanted(i, j);
      flows_[i].shipped = share * sum;
      on_hand_[i] -= flows_[i].shipped;
    }
  }
  for (int i = 0; i < n; ++i) on_hand_[i] += arriving_[i];
}

void StockNetwork::Order(absl::Span<const double> orders) {
  for (int i = 0; i < settings_.warehouses; ++i) {
    double quantity = std::clamp(orders[i], 0.0, settings_.capacity);
    if (settings_.lead_time > 0) {
      std::swap(quantity, pipeline_[(step_ % settings_.lead_time) * settings_.warehouses + i]);
    }
    on_hand_[i] += quantity;
  }
}

void StockNetwork::Sell() {
  const int row = (step_ % settings_.season_steps) * settings_.warehouses;
  for (int i = 0; i < settings_.warehouses; ++i) {
    StockFlows& flows = flows_[i];
    flows.demand =
        settings_.demand_lot * PoissonQuantile(means_[row + i] / settings_.demand_lot, demand_.UniformDouble());
    on_hand_[i] -= flows.demand;
    flows.unmet = std::max(-on_hand_[i], 0.0);
    flows.left = std::max(on_hand_[i], 0.0);
    if (!settings_.backordered) on_hand_[i] = flows.left;
  }
}

double StockNetwork::position(int i) const {
  double sum = on_hand_[i] + shipped_in_[i];
  for (int steps = 1; steps <= settings_.lead_time; ++steps) sum += ordered(i, steps);
  return sum;
}

double StockNetwork::cost(int i) const {
  return settings_.stock_out_cost * flows_[i].unmet + settings_.transfer_cost * flows_[i].shipped +
         settings_.holding_cost * flows_[i].left;
}

}  // namespace troupe
