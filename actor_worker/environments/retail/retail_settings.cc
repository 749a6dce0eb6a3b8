#include "actor_worker/environments/retail/retail_settings.h"

#include "common/base/status_macros.h"

namespace troupe {

RetailSettings ReadRetailSettings(SettingsReader& reader) {
  const RetailSettings fallback;
  RetailSettings s;
  s.warehouses = static_cast<int>(reader.Integer("warehouses", fallback.warehouses, 1, 20, "agents, a warehouse each"));
  s.episode_steps = static_cast<int>(
      reader.Integer("episode_steps", fallback.episode_steps, 1, 10000, "steps of an episode, a week each by default"));
  s.capacity = reader.Number("capacity", fallback.capacity, 0.01, 1000, "units a warehouse can order in a step");
  s.lead_time = static_cast<int>(reader.Integer("lead_time", fallback.lead_time, 0, 20,
                                                "steps until an order arrives; 0: before the same step's demand"));
  s.demand_mean = reader.Number("demand_mean", fallback.demand_mean, 0.01, 100,
                                "units asked for at a warehouse in a step, mean over a season");
  s.demand_lot = reader.Number("demand_lot", fallback.demand_lot, 0.1, 100,
                               "units of a customer's order: customers come by Poisson's law, demand is lumpy");
  s.season_amplitude = reader.Number("season_amplitude", fallback.season_amplitude, 0, 1,
                                     "how far mean demand swings, as a share of demand_mean");
  s.season_steps =
      static_cast<int>(reader.Integer("season_steps", fallback.season_steps, 2, 10000, "steps from peak to peak"));
  s.season_spread = reader.Number("season_spread", fallback.season_spread, 0, 1,
                                  "share of a season over which the warehouses' peaks are spread; 0: all at once");
  s.initial_stock = reader.Number("initial_stock", fallback.initial_stock, 0, 1000, "units each warehouse begins with");
  s.transfers = reader.Boolean("transfers", fallback.transfers, "whether warehouses can ship to each other");
  s.transfer_limit = reader.Number("transfer_limit", fallback.transfer_limit, 0, 1000,
                                   "units a warehouse can ship to each other one in a step");
  s.backordered =
      reader.Choice("unmet_demand", "LOST", {"LOST", "BACKORDERED"},
                    "LOST: paid once; BACKORDERED: owed, and paid in every step until it is met") == "BACKORDERED";
  s.shared_reward = reader.Number("shared_reward", fallback.shared_reward, 0, 1,
                                  "share of an agent's reward that is all warehouses' mean; the rest is its own");
  s.stock_out_cost = reader.Number("stock_out_cost", fallback.stock_out_cost, 0, 1000, "dollars per unmet unit");
  s.transfer_cost = reader.Number("transfer_cost", fallback.transfer_cost, 0, 1000, "dollars per unit shipped");
  s.holding_cost =
      reader.Number("holding_cost", fallback.holding_cost, 0, 1000, "dollars per unit left over after a step's demand");
  return s;
}

absl::StatusOr<RetailSettings> ParseRetailSettings(const SettingsMap& settings) {
  SettingsReader reader(settings);
  const RetailSettings parsed = ReadRetailSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  return parsed;
}

}  // namespace troupe
