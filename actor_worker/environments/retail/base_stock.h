// Order-up-to rules for the environment retail, and the search that tunes them.
//
// In every step a warehouse orders what its stock, on hand and on the way, is short of a level:
//   horizon = 0: the level is `level`, the same in all steps (a base-stock policy)
//   horizon > 0: what customers will ask for in the coming `horizon` steps by the true seasonal mean m, plus a reserve
//   of
//                safety × √(demand_lot × m), `safety` standard deviations of that demand
// With `ship` it also looks at all other warehouses: who will be short within `look` steps is sent what others have
// beyond `keep` times their own mean demand until a step after that, in proportion to need and surplus.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_BASE_STOCK_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_BASE_STOCK_H_

#include <cstdint>

#include "absl/types/span.h"
#include "actor_worker/environments/retail/stock_network.h"

namespace troupe {

struct OrderRule {
  double level = 0;
  int horizon = 0;
  double safety = 0;
  bool ship = false;
  int look = 0;
  double keep = 0;
};

// What the rule orders [W] and ships [W, W] now.
void Decide(const OrderRule& rule, const StockNetwork& network, absl::Span<double> orders,
            absl::Span<double> shipments);

// Mean cost of an episode per warehouse over episodes first_seed, first_seed + 1, …
double MeanCost(const RetailSettings& settings, const OrderRule& rule, uint64_t first_seed, int episodes);

// Each is the best of a grid over tuning episodes, whose seeds are none of an evaluation's.
struct TunedRules {
  OrderRule base_stock, seasonal, seasonal_shipping;
};
inline constexpr uint64_t kRetailTuningSeed = 5'000'000;
int RetailTuningEpisodes(const RetailSettings& settings);
// Levels are multiples of a quarter of demand_lot, or coarser where that were more than 256.
OrderRule TuneBaseStock(const RetailSettings& settings);
// All three; takes about half a second at the defaults.
TunedRules TuneRules(const RetailSettings& settings);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_BASE_STOCK_H_
