#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actor_worker/environments/payments/payments.h"
#include "actor_worker/environments/payments/routing_rules.h"

namespace troupe {
namespace {

class RoutingController final : public Controller {
 public:
  explicit RoutingController(RoutingRule rule) : rule_(std::move(rule)) {}
  void Begin(const Environment&) override {}
  void Act(const Environment& environment, const JointObservation&, std::vector<absl::Span<int32_t>>& actions,
           std::vector<absl::Span<float>>&) override {
    rule_(static_cast<const Payments&>(environment).network(), actions[0]);
  }

 private:
  const RoutingRule rule_;
};

// `make` is called once, by whichever thread asks first: it may search.
Baseline RuleBaseline(const std::string& name, std::function<RoutingRule()> make) {
  struct Made {
    std::once_flag once;
    RoutingRule rule;
  };
  return {.name = name, .setting_overrides = {}, .make = [make = std::move(make), made = std::make_shared<Made>()] {
            std::call_once(made->once, [&] { made->rule = make(); });
            return std::make_unique<RoutingController>(made->rule);
          }};
}

}  // namespace

std::vector<Baseline> PaymentsBaselines(const SettingsMap& settings_map) {
  // What cannot be read is refused where the environment is created.
  const PaymentsSettings settings = ParsePaymentsSettings(settings_map).value_or(PaymentsSettings{});
  return {RuleBaseline("cheapest",
                       [] {
                         return StaticSplit({1, 0, 0});
                       }),
          RuleBaseline("least_loaded", &LeastLoaded),
          RuleBaseline("static_split", [settings] { return StaticSplit(TuneSplit(settings)); }),
          RuleBaseline("spill_over", [settings] {
            const std::array<double, 2> limits = TuneSpillOver(settings);
            return SpillOver(limits[0], limits[1]);
          })};
}

}  // namespace troupe
