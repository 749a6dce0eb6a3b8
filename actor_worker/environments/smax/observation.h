// What units see, and the whole battle as numbers. Names and units of every number: description.h.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_OBSERVATION_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_OBSERVATION_H_

#include <vector>

#include "absl/types/span.h"
#include "actor_worker/environments/smax/battle.h"

namespace troupe::smax {

// Of another unit: share of its health, place relative to the observer in sight ranges (2), its last orders (direction,
// attack action as a share of the last one), share of its cooldown in [0, 1], type bits.
inline constexpr int kSeenSize = 7 + kNumUnitKinds;
// Of itself: share of health, place as a share of the map (2), share of its cooldown in [0, 1], type bits.
inline constexpr int kOwnSize = 4 + kNumUnitKinds;
// Of a unit in the global state: as of itself, and its team and kind.
inline constexpr int kStateUnitSize = kOwnSize + 2;

// kUnitList: every other unit a slot, friends before foes, the slot all 0 where the unit is dead or out of sight.
// Friends of an ally count up, its foes as Battle::Foe does; an enemy's everything counts from the last unit down.
//
// kConic: a slot for each of the first two units, by number, in each of 32 sectors around the observer within its
// sight, the first beginning at the left and counting counter-clockwise. jaxmarl's quirks are kept: ally 0 is seen by
// nobody, the dead are seen, and who is exactly on a sector's edge is not.
//
// Both end with what the unit knows of itself. The dead observe zeros.
enum class View { kUnitList, kConic };
inline constexpr int kSectors = 32, kSeenPerSector = 2;

// kRaw: jaxmarl's world state: share of health, place in cells, cooldown in seconds (below 0 without limit) and type
// bits of each unit, all 0 of the dead; then all teams (0: allies), then all kinds by number. kScaled: the same with
// the place as a share of the map, the cooldown as a share in [0, 1] and the kind as a share of the last.
enum class StateScale { kRaw, kScaled };

class Observer {
 public:
  Observer(const Battle& battle, View view, bool see_enemy_actions);

  int observation_size() const;
  int state_size() const { return battle_.num_units() * kStateUnitSize; }
  void Observe(int unit, absl::Span<float> observation) const;
  void ObserveAll(StateScale scale, absl::Span<float> state) const;

 private:
  void Describe(int observer, int other, float* seen) const;
  void DescribeSelf(int unit, float* own) const;
  void ObserveUnits(int unit, float* seen) const;
  void ObserveSectors(int unit, float* seen) const;

  const Battle& battle_;
  const View view_;
  const bool see_enemy_actions_;
  std::vector<float> sector_edges_;  // [kSectors + 1], angles from −π to π
};

}  // namespace troupe::smax

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_OBSERVATION_H_
