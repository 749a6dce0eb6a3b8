#include "actor_worker/environments/traffic/simulation.h"

#include <cmath>

namespace troupe {

CompassSlot SlotOfHeading(double dx, double dy) {
  if (std::abs(dx) > std::abs(dy)) return dx > 0 ? CompassSlot::kWest : CompassSlot::kEast;
  return dy > 0 ? CompassSlot::kSouth : CompassSlot::kNorth;
}

}  // namespace troupe
