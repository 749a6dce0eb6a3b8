// Agents' actions as orders of a battle's units.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_ORDERS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_ORDERS_H_

#include <cstdint>

#include "absl/types/span.h"
#include "actor_worker/environments/smax/battle.h"

namespace troupe::smax {

// `action` as enum Action counts.
void OrderDiscrete(Battle& battle, int unit, int action);

// The dimensions of a continuous action, each in [0, 1].
enum ContinuousAction {
  kNewTarget,  // probability that a shot goes to the foe nearest the aim point, else to the last decision's target
  kMove,       // probability of moving, else of shooting
  kRadius,     // moving: share of the unit's speed; shooting: cells from the unit to the aim point
  kAngle,      // of either, in turns, counter-clockwise from the right
  kContinuousActions
};
// The nearest foe may be dead or out of range: the shot is then lost. What a unit's last target was is read from its
// orders.
void OrderContinuous(Battle& battle, int unit, absl::Span<const float> action, Draws& draws);

// Of discrete actions: 1 = allowed. Moves of the living, stop always, attacks on living foes in range. `allowed` has
// kFirstAttack + num_foes(unit) entries.
void AllowedActions(const Battle& battle, int unit, absl::Span<uint8_t> allowed);

}  // namespace troupe::smax

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_ORDERS_H_
