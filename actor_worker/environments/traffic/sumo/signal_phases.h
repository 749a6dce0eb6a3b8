// What a signal's program offers to an agent: the green phases it may choose from, what each goes through when it is
// left, and the lights that show it.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SIGNAL_PHASES_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SIGNAL_PHASES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environments/traffic/simulation.h"
#include "actor_worker/environments/traffic/sumo/net_file.h"

namespace troupe {

// A clearing step that takes green from vehicles lasts no longer than this in the network's program.
inline constexpr double kClearingStepSeconds = 5;

// A green phase, one letter per link: G g green, y yellow, r red, …
struct SumoPhase {
  std::string lights;
  double program_seconds = 0;  // in the network's program, all its occurrences
  // Lights shown one after the other when the phase is left, before yellow, and how long each: often none.
  std::vector<std::string> clearing_lights{};
  std::vector<int> clearing_seconds{};
};

struct SumoSignal {
  std::string id;
  std::vector<SumoPhase> phases;
};

// The green phases are the program's steps with green and without yellow, in its order; equal ones count once. A step
// is no phase but a clearing step of the phase before it when it follows a green step at once, only takes green away,
// and takes it from none of `vehicle_links` (pedestrians clear the road) or lasts at most kClearingStepSeconds. Errors:
// INVALID_ARGUMENT naming the signal when a step has fewer lights than vehicle_links needs or there are more than 64
// phases.
absl::StatusOr<SumoSignal> ReadSignalPhases(const NetSignal& signal, const std::vector<int>& vehicle_links);

bool IsGreenLight(char light);

// One letter per link. While a phase is left, links that both phases let go stay green (with priority only if both give
// it); the others that had green show what the clearing step says, then yellow where they still had green, then red.
std::string LightsOf(const SumoSignal& signal, const SignalState& state);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SIGNAL_PHASES_H_
