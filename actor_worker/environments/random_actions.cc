#include "actor_worker/environments/random_actions.h"

#include <algorithm>

namespace troupe {
namespace {

// One of `size` choices. Where none is allowed, any: nobody acts there.
int32_t ChooseRandomly(const uint8_t* mask, int size, RandomStream& random) {
  const int allowed = static_cast<int>(std::count_if(mask, mask + size, [](uint8_t m) { return m != 0; }));
  int left = static_cast<int>(random.Below(std::max(1, allowed)));
  int32_t choice = 0;
  while (choice + 1 < size && (mask[choice] == 0 || left-- > 0)) ++choice;
  return choice;
}

}  // namespace

void ChooseRandomActions(const AgentGroupSpec& group, absl::Span<const uint8_t> mask, RandomStream& random,
                         absl::Span<int32_t> discrete, absl::Span<float> continuous) {
  const uint8_t* allowed = mask.data();
  for (size_t i = 0; i < discrete.size(); ++i) {
    const int size = group.choices_of(static_cast<int>(i) % group.num_choices());
    discrete[i] = ChooseRandomly(allowed, size, random);
    allowed += size;
  }
  for (size_t i = 0; i < continuous.size(); ++i) {
    const float action = 2 * random.Uniform() - 1;
    continuous[i] = group.action_bounds.empty() ? action : group.action_bounds[i % group.action_size].At(action);
  }
}

}  // namespace troupe
