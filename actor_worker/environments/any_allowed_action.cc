#include "actor_worker/environments/any_allowed_action.h"

#include <vector>

namespace troupe {
namespace {

class AnyAllowedAction final : public Controller {
 public:
  void Begin(const Environment&) override {}
  void Act(const Environment& environment, const JointObservation& observation,
           std::vector<absl::Span<int32_t>>& actions, std::vector<absl::Span<float>>& continuous_actions) override {
    for (size_t g = 0; g < observation.groups.size(); ++g) {
      const AgentGroupSpec& group = environment.spec().groups[g];
      if (group.has_masks()) {
        ChooseFirst(group, observation.groups[g].action_mask, actions[g]);
      } else {
        ChooseMiddle(group, continuous_actions[g]);
      }
    }
  }

 private:
  static void ChooseFirst(const AgentGroupSpec& group, absl::Span<const uint8_t> mask, absl::Span<int32_t> actions) {
    const uint8_t* allowed = mask.data();
    for (size_t i = 0; i < actions.size(); ++i) {
      const int size = group.choices_of(static_cast<int>(i) % group.num_choices());
      int action = 0;
      while (action + 1 < size && allowed[action] == 0) ++action;
      actions[i] = action;
      allowed += size;
    }
  }

  static void ChooseMiddle(const AgentGroupSpec& group, absl::Span<float> actions) {
    for (size_t i = 0; i < actions.size(); ++i) {
      const ActionBounds bounds =
          group.action_bounds.empty() ? ActionBounds{} : group.action_bounds[i % group.action_size];
      actions[i] = bounds.At(0);
    }
  }
};

}  // namespace

std::unique_ptr<Controller> MakeAnyAllowedAction() { return std::make_unique<AnyAllowedAction>(); }

}  // namespace troupe
