// Everything a battle leaves to chance, asked for by name: play answers from a random stream, a test from a recording.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_DRAWS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_DRAWS_H_

#include <cstdint>

#include "common/base/random.h"

namespace troupe::smax {

enum class Chance {
  kCooldown,     // how much longer or shorter a shot's cooldown is
  kTarget,       // the heuristic's choice among the foes in range
  kQuarry,       // the heuristic's choice of a foe in sight to walk to
  kMoveOrShoot,  // of a continuous action
  kKeepTarget,   // of a continuous action: whether a shot goes to the last target
};

class Draws {
 public:
  virtual ~Draws() = default;
  // In [0, 1). `tick` counts within the decision; what is drawn once per decision asks with tick 0.
  virtual float Uniform(Chance chance, int unit, int tick) = 0;
};

class RandomDraws final : public Draws {
 public:
  explicit RandomDraws(uint64_t key, uint64_t stream) : random_(key, stream) {}
  float Uniform(Chance, int, int) override { return random_.Uniform(); }

 private:
  RandomStream random_;
};

// One of `choices` ≥ 1 by a number in [0, 1).
inline int Choose(float uniform, int choices) {
  const int chosen = static_cast<int>(uniform * static_cast<float>(choices));
  return chosen < choices ? chosen : choices - 1;
}

}  // namespace troupe::smax

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_DRAWS_H_
