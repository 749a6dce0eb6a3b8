// Warehouses with seasonal customers, which order from a supplier and ship to each other: an agent each, with
// continuous actions. The model is stock_network.h's.
//
// Actions of a warehouse, each a in [−1, 1]:
//   order   (a + 1) / 2 of `capacity`: −1 orders nothing, 1 all that can be ordered in a step
//   ship_d  max(0, a) of `transfer_limit`, to the warehouse d places after its own (after the last comes the first):
//           the whole lower half ships nothing. Only with `transfers`, W − 1 of them.
// Reward: −cost of the step in dollars, `shared_reward` of it the mean over warehouses and the rest its own. The mean
// of the agents' returns is −(cost of the episode per warehouse) whatever that share is. After episode_steps the books
// are closed: terminated, what is left has no worth.
//
// Observation: the warehouse's own stock, orders on their way, season and last demand; global state: all of them.
// Statistics, for the whole episode:
//   cost              dollars per warehouse
//   stock_out_percent of the units asked for, those that were not there when they were (with BACKORDERED a unit counts
//                     in every step in which it is owed)
//   stock_out_cost, transfer_cost, holding_cost   of the dollars
//   transfers         units shipped by a warehouse
//   holding           units left after a step in a warehouse, mean
//   imbalance         standard deviation of those between warehouses, mean over steps
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_RETAIL_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_RETAIL_H_

#include <string>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/retail/stock_network.h"

namespace troupe {

class Retail final : public Environment {
 public:
  explicit Retail(const RetailSettings& settings);

  const EnvironmentSpec& spec() const override { return spec_; }
  absl::Status Reset(uint64_t seed) override;
  absl::Status Step(const JointAction& action, StepOutcome& outcome) override;
  void Observe(JointObservation& observation) const override;
  void EpisodeStatistics(absl::Span<double> statistics) const override;
  std::string Render() const override;
  void Draw(Scene& scene) const override;

  const StockNetwork& network() const { return network_; }

 private:
  // Sums over steps and warehouses.
  struct Totals {
    double demand = 0, unmet = 0, shipped = 0, left = 0, deviation = 0;
  };

  const RetailSettings settings_;
  EnvironmentSpec spec_;
  StockNetwork network_;
  std::vector<double> orders_, shipments_;
  Totals totals_;
};

// The action of a warehouse that orders and ships these units (ships: [W] by receiver): the inverse of the map above.
void WriteRetailAction(const RetailSettings& settings, int warehouse, double order, absl::Span<const double> ships,
                       absl::Span<float> action);

std::vector<Baseline> RetailBaselines(const SettingsMap& settings);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_RETAIL_H_
