// What agents of traffic environments observe and do: the one place that names the numbers, their units and scales.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_TRAFFIC_DESCRIPTION_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_TRAFFIC_DESCRIPTION_H_

#include <vector>

#include "actor_worker/environments/traffic/simulation.h"
#include "actor_worker/environments/traffic/traffic_settings.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// Of one agent, in the order of RawTrafficFeatures: sums over its approaches by compass slot.
std::vector<ObservedNumber> DescribeApproachObservation();

// Of one agent with so many green phases, as PhaseObservation writes it: kPhaseFeatures numbers for each phase, in the
// order of the phases, then kPhaseJunctionFeatures of the junction.
std::vector<ObservedNumber> DescribePhaseObservation(int phases);

// Beside all observations, for the critic.
std::vector<ObservedNumber> DescribeTrafficStateExtras(int num_junctions);

// Of a group whose agents are `junctions` of the network (at least one), all with equally many actions.
std::vector<NamedAction> DescribeTrafficActions(TrafficActionSet action_set, const TrafficNetwork& network,
                                                const std::vector<int>& junctions);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_TRAFFIC_DESCRIPTION_H_
