// E copies of one environment stepped together, each starting a new episode as soon as its last one is over. All that
// agents see, do and earn lies in the caller's memory, one row [E, …] per time step (a row of the chunk that goes over
// the wire).
//
//   ASSIGN_OR_RETURN(auto environment, VectorEnvironment::Create(entry, settings, copies));
//   RETURN_IF_ERROR(environment->Start({.run_seed = 1, .shard = 3, .lease_epoch = 0}, row_0));
//   for t in 0 … T−1:
//     choose actions for row_t
//     RETURN_IF_ERROR(environment->Step(actions_t, outcome_t, row_t+1));
//     environment->truncated(): last observations of the episodes cut at t
//     environment->finished(): episodes over at t
//
// E = copies, A = agents of the group, O = observation size, N = action size, S = state_extras_size.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_VECTOR_ENVIRONMENT_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_VECTOR_ENVIRONMENT_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "actor_worker/environments/environment.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// Where the copies' observations of one time step are written.
struct ObservationRow {
  struct Group {
    absl::Span<float> observations;    // [E, A, O]
    absl::Span<uint8_t> action_masks;  // [E, A, N], empty for continuous groups
    absl::Span<uint8_t> alive;         // [E, A]
  };
  std::vector<Group> groups;
  absl::Span<float> state_extras;  // [E, S]
};

// What all copies do in one time step. Exactly one of a group's two spans is filled, by its ActionKind.
struct ActionRow {
  struct Group {
    absl::Span<const int32_t> discrete;  // [E, A]; of multi-discrete groups [E, A, D]
    absl::Span<const float> continuous;  // [E, A, N]
  };
  std::vector<Group> groups;
};

// Where the outcome of one time step is written.
struct OutcomeRow {
  std::vector<absl::Span<float>> rewards;  // per group [E, A]
  absl::Span<uint8_t> terminated;          // [E]
  absl::Span<uint8_t> truncated;           // [E]
};

// The last observation of an episode that was cut; views into the VectorEnvironment, good until its next Step or Start.
struct TruncatedCopy {
  int copy = 0;
  std::vector<absl::Span<const uint8_t>> final_action_masks;  // per group [A, N], empty for continuous groups
  std::vector<absl::Span<const float>> final_observations;    // per group [A, O]
  absl::Span<const float> final_state_extras;                 // [S]
  std::vector<absl::Span<const uint8_t>> final_alive;         // per group [A]
};

// An episode that is over; views as above.
struct FinishedCopy {
  int copy = 0;
  int length = 0;         // environment steps, warm-up included
  int warm_up_steps = 0;  // of them, steps played at random by Start: above 0 the figures are not the policy's own
  absl::Span<const double> group_returns;  // per group: mean over its agents of the undiscounted return, warm-up too
  absl::Span<const double> statistics;     // as EnvironmentSpec::statistics says
};

// Root of everything random in the copies.
struct StartOptions {
  uint64_t run_seed = 1;
  uint32_t shard = 0;
  uint32_t lease_epoch = 0;
  // Stagger: before Start returns, each copy plays a random number in [0, max_warm_up_steps] of steps with uniformly
  // random allowed actions, so that the copies are in different phases of their episodes. kOneEpisode: the length of an
  // episode that copy 0 plays at random to find out (at most kLongestMeasuredEpisode steps).
  int max_warm_up_steps = 0;
  static constexpr int kOneEpisode = -1;
  static constexpr int kLongestMeasuredEpisode = 20000;
};

// Not thread-safe; memory is prepared by Create, so stepping allocates nothing. Depends on the options and the actions
// alone.
class VectorEnvironment {
 public:
  // Errors: those of the environment (bad setting). `copies` ≥ 1.
  static absl::StatusOr<std::unique_ptr<VectorEnvironment>> Create(const EnvironmentEntry& entry,
                                                                   const SettingsMap& settings, int copies);
  virtual ~VectorEnvironment() = default;

  // Episodes that begin from now on, those of Start too, are of an environment with these settings; every copy has one
  // environment at a time, made anew when its own is of others. Errors of making it, and FAILED_PRECONDITION when it
  // differs in what agents see or can do, come from Start or Step.
  virtual void BeginEpisodesWith(std::shared_ptr<const SettingsMap> settings) = 0;

  virtual const EnvironmentSpec& spec() const = 0;
  virtual int copies() const = 0;

  // Begins a new life: every copy's episode 0. Writes the first observations. May be called again, for another shard or
  // lease. Episode k of copy c is reset with the seed MixKey({run_seed, shard, lease_epoch, c, k}).
  //
  // Errors of Start and Step: what the environment returned or threw, or INTERNAL when an observation, reward or state
  // extra is not finite or an agent has no allowed action; the message names copy, episode, step, group and agent. The
  // life is over then.
  virtual absl::Status Start(const StartOptions& options, const ObservationRow& first) = 0;

  // Steps every copy, then resets those whose episode is over and writes what all see next: after a reset, the new
  // episode's first observation. `next` may not overlap `actions`.
  virtual absl::Status Step(const ActionRow& actions, const OutcomeRow& outcome, const ObservationRow& next) = 0;

  // Of the last Step, ordered by copy.
  virtual absl::Span<const TruncatedCopy> truncated() const = 0;
  virtual absl::Span<const FinishedCopy> finished() const = 0;

  // Uniform numbers in [0, 1) for group g's next actions, [E, …], as many for each copy: a copy's are the first of a
  // stream that is a function of (run seed, shard, lease epoch, copy, episode, step, group) alone, so asking twice
  // before a Step gives the same.
  virtual void DrawUniforms(int group, absl::Span<float> uniforms) const = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_VECTOR_ENVIRONMENT_H_
