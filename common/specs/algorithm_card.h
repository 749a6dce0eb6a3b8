// What every learning algorithm needs and allows, read by both programs: the learner refuses an experiment or an
// environment that does not suit its algorithm before anything starts, a worker before it collects.
//
// Another algorithm adds a row to algorithm_card.cc and one to learner/algorithms/registry; its settings are described
// in common/config/algorithm_settings.h. Tests hold the three to each other.
#ifndef TROUPE_COMMON_SPECS_ALGORITHM_CARD_H_
#define TROUPE_COMMON_SPECS_ALGORITHM_CARD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/specs/distribution_spec.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "proto/experiment.pb.h"

namespace troupe {

// What an update trains on.
enum class Experience {
  kOnPolicy,  // the batch that the newest weights, or nearly, have collected; each once
  kReplay,    // samples of all that is kept
};

struct AlgorithmCard {
  std::string name;  // algorithm.name: "mappo"
  std::string summary;
  Experience experience = Experience::kOnPolicy;
  std::vector<DistributionKind> distributions;  // of actions, that it trains
  bool recurrent = false;                       // actors and critics may keep a state from one step to the next
  bool communicates = false;                    // actors may tell each other something
  bool chooses_options = false;                 // actors may have managers
  bool values_actions = false;                  // values of discrete actions; last states say which are allowed
  bool joins_one_team = false;                  // adds up, or mixes, the values of one team's agents: there is no other
  bool leaves_rows_out = false;                 // may be told which rows not to train on: frozen groups, self-play
  std::vector<CollectionMode> modes;
  std::string settings;  // the member of Experiment.algorithm_settings: "ppo"
  // Of the optional rows of common/wire/trajectory_fields.h, those it trains on; the others do not travel.
  std::vector<std::string> trajectory_fields;
};

// The explicit table. Thread-safe.
absl::Span<const AlgorithmCard> AllAlgorithmCards();

// NOT_FOUND "algorithm.name: …" with the nearest name.
absl::StatusOr<const AlgorithmCard*> FindAlgorithmCard(const std::string& name);

// "mappo: on-policy, categorical or gaussian actions, feed-forward or recurrent, collection.mode SYNCHRONOUS |
// PIPELINED".
std::string FormatCard(const AlgorithmCard& card);

// INVALID_ARGUMENT naming the setting, its value and the card's line, when the card does not allow the mode.
absl::Status CheckCollectionMode(const AlgorithmCard& card, const CollectionSettings& collection);

// INVALID_ARGUMENT naming the group, its distribution and the card's line, when the card does not have it.
absl::Status CheckDistributions(const AlgorithmCard& card, const std::vector<PolicySpec>& policies);

// INVALID_ARGUMENT naming the setting and the card's line, when a network is recurrent and the card has none.
absl::Status CheckRecurrence(const AlgorithmCard& card, const Experiment& experiment);

// INVALID_ARGUMENT naming the setting and the card's line, when actors talk and the card has none that do.
absl::Status CheckCommunication(const AlgorithmCard& card, const Experiment& experiment);

// INVALID_ARGUMENT naming the setting and the card's line, when a group has options and the card has none that do.
absl::Status CheckOptions(const AlgorithmCard& card, const Experiment& experiment);

// INVALID_ARGUMENT naming the setting and the card's line, when rows are to be left out (a pool of saved opponents, a
// frozen group) and the card cannot.
absl::Status CheckRowsLeftOut(const AlgorithmCard& card, const Experiment& experiment);

// INVALID_ARGUMENT naming algorithm.name and the environment, when groups play in several teams and the card joins one.
absl::Status CheckTeams(const AlgorithmCard& card, const EnvironmentSpec& environment);

// All of the above: of a complete experiment before its environment, hence its groups' policies, are known, and after.
absl::Status CheckAlgorithm(const Experiment& experiment);
absl::Status CheckAlgorithm(const Experiment& experiment, const EnvironmentSpec& environment,
                            const std::vector<PolicySpec>& policies);

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_ALGORITHM_CARD_H_
