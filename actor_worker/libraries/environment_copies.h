// Copies of an environment with all they see and do, stepped by somebody who brings actions of his own.
#ifndef TROUPE_ACTOR_WORKER_LIBRARIES_ENVIRONMENT_COPIES_H_
#define TROUPE_ACTOR_WORKER_LIBRARIES_ENVIRONMENT_COPIES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/episode_buffers.h"

namespace troupe {

// E = copies, S = numbers of the global state. Not thread-safe. Not copyable: views point into it.
class EnvironmentCopies {
 public:
  // `made`: at least one, all alike.
  explicit EnvironmentCopies(std::vector<std::unique_ptr<Environment>> made);

  const EnvironmentSpec& spec() const { return copies_[0]->spec(); }
  int size() const { return static_cast<int>(copies_.size()); }

  // What they see and are paid; actions are written here.
  EpisodeBuffers& buffers() { return buffers_; }
  const std::vector<float>& state() const { return state_; }              // [E, S]
  const std::vector<double>& statistics() const { return statistics_; }   // [E, …], of the last episode that was over
  const std::vector<uint8_t>& terminated() const { return terminated_; }  // [E], of the last step
  const std::vector<uint8_t>& truncated() const { return truncated_; }    // [E]

  // Begins an episode. Errors: OUT_OF_RANGE for the copy; the environment's.
  absl::Status Reset(int copy, uint64_t seed);

  // Steps the copies whose entry of `which` [E] is not 0; empty: all. Nothing is stepped after FAILED_PRECONDITION: a
  // copy has no episode that goes on; INVALID_ARGUMENT naming an agent's action that is not allowed, where the agent is
  // alive. The environment's errors end that copy's episode.
  absl::Status Step(absl::Span<const uint8_t> which);

  // Errors: OUT_OF_RANGE for the copy; FAILED_PRECONDITION before its first episode.
  absl::StatusOr<std::string> Render(int copy) const;

 private:
  absl::Status CheckCopy(int copy) const;
  absl::Status CheckActions(int copy) const;
  absl::Status StepOne(int copy);
  absl::Status Look(int copy);
  // Environments are given an allowed action of every agent.
  void ActForTheDead(int copy);

  const std::vector<std::unique_ptr<Environment>> copies_;
  EpisodeBuffers buffers_;
  std::vector<float> state_;
  std::vector<double> statistics_;
  std::vector<uint8_t> terminated_, truncated_;
  std::vector<char> playing_;  // [E]: has an episode that goes on
  std::vector<char> begun_;    // [E]: has a state

  const std::unique_ptr<Controller> any_action_;
  std::vector<std::vector<int32_t>> idle_indices_;  // per group [A, D], of one copy
  std::vector<std::vector<float>> idle_numbers_;    // per group [A, N]
  std::vector<absl::Span<int32_t>> index_views_;
  std::vector<absl::Span<float>> number_views_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_LIBRARIES_ENVIRONMENT_COPIES_H_
