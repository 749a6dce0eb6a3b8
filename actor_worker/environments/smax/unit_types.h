// What the kinds of units can do. Distances in map cells, times in seconds; the numbers are those of SMAX (Rutherford
// et al., "JaxMARL", arXiv:2311.10090; PyPI jaxmarl 0.2.0).
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_UNIT_TYPES_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_UNIT_TYPES_H_

#include <array>

namespace troupe::smax {

struct UnitType {
  const char* name;
  float speed;             // cells per second
  float damage;            // health a shot takes
  float range;             // a shot needs a distance below it
  float sight;             // seen is what is nearer
  float radius;            // living units keep the sum of their radii apart
  float health;            // at the start
  float cooldown_seconds;  // between two shots, before the draw that lengthens or shortens it
};

// Indices into kUnitTypes, and of the type bits of observations.
enum UnitKind { kMarine, kMarauder, kStalker, kZealot, kZergling, kHydralisk, kNumUnitKinds };

inline constexpr std::array<UnitType, kNumUnitKinds> kUnitTypes = {{
    {"marine", 3.15f, 9, 5, 9, 0.375f, 45, 0.61f},
    {"marauder", 2.25f, 10, 6, 10, 0.5625f, 125, 1.07f},
    {"stalker", 4.13f, 13, 6, 10, 0.625f, 160, 1.87f},
    {"zealot", 3.15f, 8, 2, 9, 0.5f, 150, 0.86f},
    {"zergling", 4.13f, 5, 2, 8, 0.375f, 35, 0.5f},
    {"hydralisk", 3.15f, 12, 5, 9, 0.625f, 80, 0.59f},
}};

}  // namespace troupe::smax

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_UNIT_TYPES_H_
