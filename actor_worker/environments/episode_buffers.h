// Memory of one time step of several environment copies, with views for each copy, for code that plays episodes itself.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_EPISODE_BUFFERS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_EPISODE_BUFFERS_H_

#include <cstdint>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/vector_environment.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// Not copyable: the views point into it. E = copies, A = agents, O = observation size, N = action size, D = indices of
// an action.
class EpisodeBuffers {
 public:
  EpisodeBuffers(const EnvironmentSpec& spec, int copies);
  EpisodeBuffers(const EpisodeBuffers&) = delete;
  EpisodeBuffers& operator=(const EpisodeBuffers&) = delete;

  struct Group {
    std::vector<float> observations;       // [E, A, O]
    std::vector<uint8_t> action_masks;     // [E, A, N], empty for continuous groups
    std::vector<uint8_t> alive;            // [E, A]
    std::vector<int32_t> discrete;         // [E, A, D], empty for continuous groups
    std::vector<float> continuous;         // [E, A, N], of continuous groups alone: what the environment is given
    std::vector<float> sampled;            // [E, A, N], of continuous groups alone: what a policy drew for it
    std::vector<float> rewards;            // [E, A]
    std::vector<float> log_probabilities;  // [E, A]
  };
  // One copy's views into the above.
  struct Copy {
    JointObservation observation;
    JointAction action;
    StepOutcome outcome;
    std::vector<absl::Span<int32_t>> discrete;  // per group [A, D]
    std::vector<absl::Span<float>> continuous;  // per group [A, N]
  };

  std::vector<Group> groups;
  std::vector<float> state_extras;  // [E, S]
  std::vector<Copy> copies;
  ObservationRow row;  // what all copies see
};

// INTERNAL naming the first observation, state extra or reward of the copy that is not finite.
absl::Status CheckFinite(const EnvironmentSpec& spec, const EpisodeBuffers::Copy& copy);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_EPISODE_BUFFERS_H_
