// A replay page's picture: each warehouse's stock, what is on its way and what was asked for; shipments above them.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/environments/retail/retail.h"
#include "actor_worker/environments/scene.h"

namespace troupe {
namespace {

// A warehouse's column, its bars at most kHigh high, with what is owed and names below.
constexpr double kColumn = 3, kHigh = 5, kLow = 1.2, kArcs = 1.6;

struct Bars {
  Scene& scene;
  double left = 0;
  double per_unit = 0;

  double Top(double units) const { return std::clamp(units * per_unit, -0.4 * kLow, kHigh); }
  void Bar(double from, double to, double units, Ink ink, double opacity, std::string note) const {
    scene.Box({left + from, 0}, {left + to, Top(units)}, {.ink = ink, .opacity = opacity, .note = std::move(note)});
  }
};

void DrawWarehouse(const StockNetwork& network, int i, const std::string& name, const Bars& bars) {
  const RetailSettings& settings = network.settings();
  const StockFlows& flows = network.flows(i);
  const double on_hand = network.on_hand(i), expected = MeanDemand(settings, i, network.step());
  Scene& scene = bars.scene;
  bars.Bar(0.3, 1.2, on_hand, on_hand < 0 ? Ink::kBad : TeamInk(i), 0.9,
           absl::StrFormat("%.2f units on hand", on_hand));
  bars.Bar(1.3, 1.7, network.position(i) - on_hand, TeamInk(i), 0.4,
           absl::StrFormat("%.2f units on their way", network.position(i) - on_hand));
  bars.Bar(1.9, 2.2, flows.demand, Ink::kFaint, 0.6, absl::StrFormat("%.2f units asked for", flows.demand));
  bars.Bar(2.3, 2.6, flows.unmet, Ink::kBad, 0.9, absl::StrFormat("%.2f units not there", flows.unmet));
  const double line = bars.Top(expected);
  scene.Line({{bars.left + 0.2, line}, {bars.left + 2.7, line}}, 0.05,
             {.ink = Ink::kWarning, .note = absl::StrFormat("%.2f units expected in the coming step", expected)});
  scene.Line({{bars.left + 0.2, 0}, {bars.left + 2.7, 0}}, 0.03, {.ink = Ink::kFaint});
  scene.Text({bars.left + 1.45, -0.72}, 0.3, name);
  scene.Text({bars.left + 1.45, -1.08}, 0.24, absl::StrFormat("%.1f on hand, $%.2f", on_hand, network.cost(i)),
             {.ink = Ink::kFaint});
}

}  // namespace

void Retail::Draw(Scene& scene) const {
  const int n = settings_.warehouses;
  const double most = std::max({5 * settings_.demand_mean, settings_.initial_stock, 4 * settings_.demand_lot}) * 1.1;
  scene.Map(0, -kLow, kColumn * n, kHigh + kArcs);
  double cost = 0, on_hand = 0, unmet = 0, asked = 0;
  for (int i = 0; i < n; ++i) {
    DrawWarehouse(network_, i, spec_.groups[0].agents[i],
                  {.scene = scene, .left = kColumn * i, .per_unit = kHigh / most});
    cost += network_.cost(i) / n;
    on_hand += network_.on_hand(i) / n;
    unmet += network_.flows(i).unmet / n;
    asked += network_.flows(i).demand / n;
  }
  for (int from = 0; from < n; ++from) {
    double wanted = 0;
    for (int to = 0; to < n; ++to) wanted += shipments_[from * n + to];
    for (int to = 0; to < n; ++to) {
      if (to == from) continue;
      const double units =
          wanted > 0 && network_.step() > 0 ? shipments_[from * n + to] * network_.flows(from).shipped / wanted : 0;
      const double x0 = kColumn * from + 0.75, x1 = kColumn * to + 0.75, y = kHigh + 0.15;
      const double high = y + 0.3 + (kArcs - 0.6) * std::abs(to - from) / n;
      const Brush brush = {.ink = units > 1e-6 ? TeamInk(from) : Ink::kNone,
                           .opacity = 0.8,
                           .note = absl::StrFormat("%.3f units shipped to %s", units, spec_.groups[0].agents[to])};
      const double width = 0.03 + 0.17 * std::min(1.0, units / settings_.transfer_limit);
      const double bend = 0.2 * (x1 > x0 ? 1 : -1);
      scene.Line({{x0, y}, {x0 + bend, high}, {x1 - bend, high}}, width, brush);
      scene.Arrow({x1 - bend, high}, {x1, y}, width, brush);
    }
  }
  scene.Fact("cost of the step", absl::StrFormat("$%.2f a warehouse", cost));
  scene.Fact("not there", absl::StrFormat("%.1f of %.1f units asked for", n * unmet, n * asked));
  scene.Figure("cost of a step, $ a warehouse", "cost", cost);
  scene.Figure("units a warehouse", "on hand", on_hand);
  scene.Figure("units a warehouse", "asked for", asked);
  scene.Figure("units a warehouse", "not there", unmet);
}

}  // namespace troupe
