// Warehouses that order, hold, ship and sell: the model behind the environment retail, without agents.
//
// A step k, for all W warehouses at once:
//   1. each orders q_i in [0, capacity], and ships s_ij in [0, transfer_limit] to each other one, all of them scaled
//   down
//      alike where their sum is more than it has on hand;
//   2. orders of step k − lead_time arrive, and shipments of step k − 1;
//   3. customers come: demand D_i = demand_lot × Poisson(m_i(k) / demand_lot), where
//        m_i(k) = demand_mean × (1 + season_amplitude × sin(2π (k / season_steps − season_spread × i / W)));
//   4. cost_i = stock_out_cost × units unmet + transfer_cost × units shipped away + holding_cost × units left.
// Unmet units are lost, or owed if `backordered` (on hand is negative then, and each step pays for all that is owed).
// There is nothing to pay for an order: what is left at the end has no worth.
//
// Demand follows from the seed alone, whatever is ordered.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_STOCK_NETWORK_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_STOCK_NETWORK_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "actor_worker/environments/retail/retail_settings.h"
#include "common/base/random.h"

namespace troupe {

// Mean demand of a warehouse in step k, any k ≥ 0.
double MeanDemand(const RetailSettings& settings, int warehouse, int step);

// The number k with P(X < k) ≤ u < P(X ≤ k), X by Poisson's law with this mean ≥ 0 (at most 700) and u in [0, 1).
int PoissonQuantile(double mean, double u);

// What a step cost a warehouse, in units.
struct StockFlows {
  double demand = 0, unmet = 0, shipped = 0, left = 0;
};

// Not thread-safe. All quantities in units.
class StockNetwork {
 public:
  explicit StockNetwork(const RetailSettings& settings);

  // Every warehouse has initial_stock on hand and orders of demand_mean, or of capacity if that is less, on the way.
  void Reset(uint64_t seed);
  // orders [W], shipments [W, W] from row to column; what lies beyond the limits is cut.
  void Step(absl::Span<const double> orders, absl::Span<const double> shipments);

  const RetailSettings& settings() const { return settings_; }
  int step() const { return step_; }
  double on_hand(int i) const { return on_hand_[i]; }
  // The order that arrives in `steps` steps, in [1, lead_time] (1: in the coming one).
  double ordered(int i, int steps) const {
    return pipeline_[((step_ + steps - 1) % settings_.lead_time) * settings_.warehouses + i];
  }
  // Shipments that arrive in the coming step.
  double shipped_in(int i) const { return shipped_in_[i]; }
  // MeanDemand, looked up.
  double mean_demand(int i, int step) const {
    return means_[(step % settings_.season_steps) * settings_.warehouses + i];
  }
  // On hand and on the way.
  double position(int i) const;
  // Of the last step; zeros before the first.
  const StockFlows& flows(int i) const { return flows_[i]; }
  // Dollars of the last step.
  double cost(int i) const;

 private:
  void Ship(absl::Span<const double> shipments);
  void Order(absl::Span<const double> orders);
  void Sell();

  const RetailSettings settings_;
  std::vector<double> means_;  // [season_steps, W]
  std::vector<double> on_hand_, pipeline_, shipped_in_, arriving_;
  std::vector<StockFlows> flows_;
  RandomStream demand_{0};
  int step_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_STOCK_NETWORK_H_
