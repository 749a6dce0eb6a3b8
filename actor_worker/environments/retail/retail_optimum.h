// The cheapest way to run ONE warehouse of the environment retail, by dynamic programming backwards from the last step.
//
// Exact where demand_lot, capacity, initial_stock and the orders that an episode begins with are multiples of one unit
// of at least 1/64 of demand_lot: stocks stay on that lattice, and as the cost is convex along it (Zipkin, "On the
// structure of lost-sales inventory models", Operations Research 56, 2008) no order between its points is cheaper.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_RETAIL_OPTIMUM_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_RETAIL_OPTIMUM_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "actor_worker/environments/retail/stock_network.h"

namespace troupe {

class RetailOptimum {
 public:
  // Null for several warehouses, owed demand, quantities without a common unit, or more states than memory should hold
  // (long lead times, long episodes).
  static std::unique_ptr<RetailOptimum> Solve(const RetailSettings& settings);

  // Mean cost of an episode in dollars.
  double value() const { return value_; }
  // The best order, in units, for a network whose stocks are on the lattice.
  double Order(const StockNetwork& network) const;

 private:
  explicit RetailOptimum(const RetailSettings& settings, double unit);
  void Solve();
  // A state: stock on hand when the coming step's arrival is in, and the orders that come after it, all in units of the
  // lattice; digits of orders in base `num_orders_`, the next to arrive first.
  int StateOf(int stock, int later_orders) const { return stock * num_tails_ + later_orders; }

  const RetailSettings settings_;
  const double unit_;
  int num_orders_ = 0, num_tails_ = 1, num_stocks_ = 0;
  std::vector<std::vector<uint16_t>> best_;  // [step][state]
  double value_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_RETAIL_OPTIMUM_H_
