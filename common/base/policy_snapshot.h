// What acts at one policy version: the actors of every group, and whatever else the version implies.
#ifndef TROUPE_COMMON_BASE_POLICY_SNAPSHOT_H_
#define TROUPE_COMMON_BASE_POLICY_SNAPSHOT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/base/host_tensor.h"

namespace troupe {

struct NamedScalar {
  std::string name;
  double value = 0;
  bool operator==(const NamedScalar&) const = default;
};

// The scalars that ways of acting ask for by name (acting/distribution.h).
inline constexpr char kEpsilonScalar[] = "epsilon";         // probability of an action at random, [0, 1]
inline constexpr char kNoiseScaleScalar[] = "noise_scale";  // factor of a Gaussian's standard deviations, > 0
// Standard deviation of the noise on deterministic actions, which lie in [-1, 1]; >= 0.
inline constexpr char kActionNoiseScalar[] = "action_noise";
// What that noise keeps of the step before; in [0, 1).
inline constexpr char kActionNoiseCorrelationScalar[] = "action_noise_correlation";
// Which stage of the experiment's curriculum episodes begin in that are collected by this version: an index into
// curriculum.stages, or their number for the experiment's own task. Absent where there is no curriculum.
inline constexpr char kCurriculumStageScalar[] = "curriculum_stage";

struct PolicySnapshot;

// Who is met in episodes that begin with a version, besides its own actors. Immutable once shared.
struct Roster {
  struct Opponent {
    std::shared_ptr<const PolicySnapshot> actors;  // of an earlier version
    // For each of the environment's teams: how often it, learning, meets these, in proportion to the others'. ≥ 0.
    std::vector<double> weights;
  };
  double newest_probability = 1;  // of an episode in which the version's own actors play every team
  std::vector<Opponent> opponents;
};

inline constexpr size_t kMaxOpponents = 1000;

// Tensors are named "GROUP/PARAMETER" and stand in the order of the groups' PolicySpec::Parameters(). A chunk names the
// version that chose its actions, so all of this follows from the chunk. Immutable once shared between threads.
struct PolicySnapshot {
  uint64_t policy_version = 0;
  std::vector<HostTensor> tensors;
  std::vector<NamedScalar> scalars{};      // as CheckScalars wants them
  std::shared_ptr<const Roster> roster{};  // null: nobody but its own actors plays

  std::optional<double> Scalar(std::string_view name) const;
};

inline constexpr size_t kMaxScalars = 64;
inline constexpr size_t kMaxScalarName = 100;

// INVALID_ARGUMENT saying which: more than kMaxScalars, a name that is empty, longer than kMaxScalarName bytes or there
// twice, or a value that is not finite.
absl::Status CheckScalars(absl::Span<const NamedScalar> scalars);

}  // namespace troupe

#endif  // TROUPE_COMMON_BASE_POLICY_SNAPSHOT_H_
