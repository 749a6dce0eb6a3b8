// An agent's action as text, whatever its kind.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_ACTION_TEXT_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_ACTION_TEXT_H_

#include <string>

#include "actor_worker/environments/environment.h"

namespace troupe {

// Of agent `agent` of `num_agents`: "3", "3,0" of a multi-discrete action, or "0.25,-1" with as many digits as tell the
// floats from their neighbours.
std::string ActionText(const GroupAction& action, int agent, int num_agents);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_ACTION_TEXT_H_
