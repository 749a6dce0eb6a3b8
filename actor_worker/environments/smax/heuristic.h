// The hand-written player SMAX's enemies are played by; it plays allies as well.
//
// Each unit for itself, from what it sees: while a foe is in range it shoots, at the same one until that is dead or out
// of range, then at the nearest (or at any, random_target). Else it walks towards a foe in sight, drawn anew in every
// decision, and with none in sight towards the place opposite its start, rotated by 180° about the field's centre;
// always along the axis nearest to that direction.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_HEURISTIC_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_HEURISTIC_H_

#include <vector>

#include "actor_worker/environments/smax/battle.h"
#include "actor_worker/environments/smax/draws.h"

namespace troupe::smax {

struct HeuristicSettings {
  bool shoots = true;
  bool random_target = false;
};

class Heuristic {
 public:
  Heuristic(int num_units, HeuristicSettings settings);

  // Forgets the last episode.
  void Begin();
  // The action of `unit`, one that AllowedActions allows while the unit lives. A dead unit's has no effect, but conic
  // observers see it.
  int Act(const Battle& battle, int unit, Draws& draws);

 private:
  // Of a unit: where it walks with no foe in sight, and whom it shot at last (a foe's index, or −1).
  struct Memory {
    float x = 0, y = 0;
    int last_foe = -1;
  };
  int Target(const Battle& battle, int unit, int last_foe, Draws& draws) const;

  const HeuristicSettings settings_;
  std::vector<Memory> memories_;
};

// The move whose direction is nearest to (x, y); of equal ones the first of enum Action.
int MoveTowards(float x, float y);

}  // namespace troupe::smax

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_HEURISTIC_H_
