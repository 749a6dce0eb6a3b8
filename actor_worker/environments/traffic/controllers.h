// Hand-written players for every traffic environment: the ones to beat.
//
// All choose phases freely (action_set CHOOSE_PHASE) but obey the agents' masks, yellow, minimum and maximum green, and
// decide at the same interval.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_CONTROLLERS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_CONTROLLERS_H_

#include <memory>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/traffic/controller_parameters.h"

namespace troupe {

// The network's fixed program (Webster's, where it brings none); all phases in turn.
std::unique_ptr<Controller> MakeFixedTime(const FixedTimeParameters& parameters = kFixedTimeParameters);
// Holds a green while it is used, then goes on to the next phase with waiting vehicles.
std::unique_ptr<Controller> MakeActuated(const ActuatedParameters& parameters = kActuatedParameters);
// The phase that serves most standing vehicles.
std::unique_ptr<Controller> MakeLongestQueueFirst(const GreedyParameters& parameters = kLongestQueueFirstParameters);
// The phase that serves most vehicles, standing or coming.
std::unique_ptr<Controller> MakeMaxWave(const GreedyParameters& parameters = kMaxWaveParameters);
// The phase with the highest pressure: standing vehicles on its lanes less the mean on the lanes they lead to.
// P. Varaiya, "Max pressure control of a network of signalized intersections", Transportation Research C 36, 2013.
std::unique_ptr<Controller> MakeMaxPressure(const GreedyParameters& parameters = kMaxPressureParameters);

// The above as rows of the registry: fixed_time, actuated, longest_queue_first, max_pressure, max_wave.
std::vector<Baseline> TrafficBaselines();

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_CONTROLLERS_H_
