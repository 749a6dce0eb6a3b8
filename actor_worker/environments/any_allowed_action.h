// A player that looks at nothing.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_ANY_ALLOWED_ACTION_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_ANY_ALLOWED_ACTION_H_

#include <memory>

#include "actor_worker/environments/environment.h"

namespace troupe {

// The first allowed action, of multi-discrete ones the first allowed choice in every dimension, of continuous ones the
// middle between the bounds. For environments that ignore actions, and those whose actions nobody knows.
std::unique_ptr<Controller> MakeAnyAllowedAction();

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_ANY_ALLOWED_ACTION_H_
