#include "actor_worker/environments/mpe/steering.h"

#include <algorithm>
#include <limits>

#include "actor_worker/environments/mpe/mpe_actions.h"

namespace troupe {

Vector2 Steering::Towards(const Disc& disc, Vector2 target) const {
  if (continuous_) {
    // Rest is linear in the control, the same in both coordinates.
    const Vector2 missing = target - Rest(disc);
    const double reach = Rest(disc, {1, 0}).x - Rest(disc).x;
    return {std::clamp(missing.x / reach, -1.0, 1.0), std::clamp(missing.y / reach, -1.0, 1.0)};
  }
  Vector2 best;
  double nearest = std::numeric_limits<double>::infinity();
  for (const Vector2 move : kMpeMoves) {
    const double distance = SquaredLength(target - Rest(disc, move));
    if (distance >= nearest) continue;
    nearest = distance;
    best = move;
  }
  return best;
}

}  // namespace troupe
