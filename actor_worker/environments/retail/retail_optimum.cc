#include "actor_worker/environments/retail/retail_optimum.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace troupe {
namespace {

constexpr int kFinest = 64;
constexpr int64_t kMostEntries = 2'000'000;  // of the table of best orders
constexpr double kNegligible = 1e-14;

bool IsMultiple(double quantity, double unit) { return std::abs(quantity / unit - std::round(quantity / unit)) < 1e-9; }

// The coarsest unit that all quantities are multiples of, or 0.
double CommonUnit(const RetailSettings& settings) {
  for (int parts = 1; parts <= kFinest; ++parts) {
    const double unit = settings.demand_lot / parts;
    if (IsMultiple(settings.capacity, unit) && IsMultiple(settings.initial_stock, unit) &&
        (settings.lead_time == 0 || IsMultiple(std::min(settings.demand_mean, settings.capacity), unit))) {
      return unit;
    }
  }
  return 0;
}

int Rounded(double quantity, double unit) { return static_cast<int>(std::lround(quantity / unit)); }

// Probabilities of 0, 1, 2 … customers.
std::vector<double> PoissonLaw(double mean) {
  std::vector<double> law = {std::exp(-mean)};
  while (static_cast<double>(law.size()) < mean || law.back() > kNegligible)
    law.push_back(law.back() * mean / law.size());
  return law;
}

}  // namespace

RetailOptimum::RetailOptimum(const RetailSettings& settings, double unit) : settings_(settings), unit_(unit) {}

std::unique_ptr<RetailOptimum> RetailOptimum::Solve(const RetailSettings& settings) {
  if (settings.warehouses != 1 || settings.backordered) return nullptr;
  const double unit = CommonUnit(settings);
  if (unit == 0) return nullptr;
  auto optimum = std::unique_ptr<RetailOptimum>(new RetailOptimum(settings, unit));
  const int64_t orders = Rounded(settings.capacity, unit) + 1;
  // More stock than all that can ever be ordered is not there.
  const int64_t stocks =
      Rounded(settings.initial_stock, unit) + (orders - 1) * (settings.episode_steps + settings.lead_time) + 1;
  int64_t tails = 1;
  for (int k = 1; k < settings.lead_time; ++k) {
    tails *= orders;
    if (tails > kMostEntries) return nullptr;
  }
  if (orders > 4096 || stocks * tails > kMostEntries / settings.episode_steps) return nullptr;
  optimum->num_orders_ = static_cast<int>(orders);
  optimum->num_tails_ = static_cast<int>(tails);
  optimum->num_stocks_ = static_cast<int>(stocks);
  optimum->Solve();
  return optimum;
}

void RetailOptimum::Solve() {
  const int lot = Rounded(settings_.demand_lot, unit_), most = num_stocks_ - 1;
  const int num_states = num_stocks_ * num_tails_;
  best_.resize(settings_.episode_steps);
  // later[s]: cost from the coming step on, in state s; after_sale[x]: of the step and all after it, once `x` is on
  // hand.
  std::vector<double> later(num_states, 0.0), now(num_states), after_sale(size_t{1} * num_stocks_);
  for (int step = settings_.episode_steps - 1; step >= 0; --step) {
    const std::vector<double> law = PoissonLaw(MeanDemand(settings_, 0, step) / settings_.demand_lot);
    best_[step].assign(num_states, 0);
    std::fill(now.begin(), now.end(), std::numeric_limits<double>::infinity());
    // Orders known after this step's decision: the tail and what is ordered now. The first of them arrives next.
    const int num_known = settings_.lead_time == 0 ? 1 : num_tails_ * num_orders_;
    for (int known = 0; known < num_known; ++known) {
      const int first_weight = settings_.lead_time == 0 ? 1 : num_tails_;
      const int arrives = known / first_weight, next_tail = settings_.lead_time == 0 ? 0 : known % first_weight;
      for (int stock = 0; stock <= most; ++stock) {
        double cost = 0;
        for (size_t customers = 0; customers < law.size(); ++customers) {
          const int asked = static_cast<int>(customers) * lot, left = std::max(stock - asked, 0);
          const double dollars =
              unit_ * (settings_.stock_out_cost * std::max(asked - stock, 0) + settings_.holding_cost * left);
          cost += law[customers] * (dollars + later[StateOf(std::min(left + arrives, most), next_tail)]);
        }
        after_sale[stock] = cost;
      }
      if (settings_.lead_time == 0) {
        // What is ordered now is sold from now.
        for (int stock = 0; stock <= most; ++stock) {
          for (int order = 0; order < num_orders_ && stock + order <= most; ++order) {
            if (after_sale[stock + order] < now[stock]) {
              now[stock] = after_sale[stock + order];
              best_[step][stock] = static_cast<uint16_t>(order);
            }
          }
        }
        continue;
      }
      const int order = known % num_orders_, tail = known / num_orders_;
      for (int stock = 0; stock <= most; ++stock) {
        double& lowest = now[StateOf(stock, tail)];
        if (after_sale[stock] < lowest) {
          lowest = after_sale[stock];
          best_[step][StateOf(stock, tail)] = static_cast<uint16_t>(order);
        }
      }
    }
    std::swap(later, now);
  }
  StockNetwork start(settings_);
  start.Reset(0);
  int tail = 0;
  for (int k = 2; k <= settings_.lead_time; ++k) tail = tail * num_orders_ + Rounded(start.ordered(0, k), unit_);
  const double first = start.on_hand(0) + (settings_.lead_time > 0 ? start.ordered(0, 1) : 0);
  value_ = later[StateOf(Rounded(first, unit_), tail)];
}

double RetailOptimum::Order(const StockNetwork& network) const {
  int tail = 0;
  for (int k = 2; k <= settings_.lead_time; ++k) tail = tail * num_orders_ + Rounded(network.ordered(0, k), unit_);
  const double stock = network.on_hand(0) + (settings_.lead_time > 0 ? network.ordered(0, 1) : 0);
  return unit_ * best_[network.step()][StateOf(std::min(Rounded(stock, unit_), num_stocks_ - 1), tail)];
}

}  // namespace troupe
