// The settings of the environment retail.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_RETAIL_SETTINGS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_RETAIL_SETTINGS_H_

#include "actor_worker/environments/environment.h"
#include "common/config/settings_reader.h"

namespace troupe {

// A step is a week and a unit a pallet, for the scale of the defaults.
struct RetailSettings {
  int warehouses = 5;
  int episode_steps = 52;
  double capacity = 1.5;  // units that a warehouse can order in a step
  int lead_time = 2;      // steps from an order to its arrival
  double demand_mean = 1;
  double demand_lot = 4;  // units of a customer's order
  double season_amplitude = 0.6;
  int season_steps = 52;
  double season_spread = 1;
  double initial_stock = 4;
  bool transfers = true;
  double transfer_limit = 0.5;  // units that a warehouse can ship to another one in a step
  bool backordered = false;
  double shared_reward = 1;
  double stock_out_cost = 10;
  double transfer_cost = 0.5;
  double holding_cost = 0.1;
};

// Asks for every setting, with default, range and meaning.
RetailSettings ReadRetailSettings(SettingsReader& reader);

// Errors: INVALID_ARGUMENT naming the setting.
absl::StatusOr<RetailSettings> ParseRetailSettings(const SettingsMap& settings);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_RETAIL_RETAIL_SETTINGS_H_
