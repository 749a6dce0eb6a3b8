// How rules of particle scenarios steer: for a place, with the coasting taken into account.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_STEERING_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_STEERING_H_

#include "actor_worker/environments/mpe/mpe_settings.h"
#include "actor_worker/environments/mpe/mpe_world.h"

namespace troupe {

class Steering {
 public:
  explicit Steering(const MpeSettings& settings)
      : dynamics_(settings.dynamics), continuous_(settings.actions == ActionKind::kContinuous) {}

  // The control after which the disc, left alone, would come to rest nearest to `target`: one of the five moves, or
  // with continuous actions any.
  Vector2 Towards(const Disc& disc, Vector2 target) const;

  // Where it would come to rest without or after a control.
  Vector2 Rest(const Disc& disc, Vector2 control = {}) const { return RestingPlace(dynamics_, disc, control); }

 private:
  const MpeDynamics dynamics_;
  const bool continuous_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_STEERING_H_
