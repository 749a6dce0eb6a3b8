#include "common/specs/algorithm_card.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/config/algorithm_settings.h"
#include "common/config/self_play_settings.h"
#include "common/specs/policy_spec.h"

namespace troupe {
namespace {

// Of those whose networks put out a value for each discrete action.
AlgorithmCard ValueCard(std::string name, std::string summary, Experience experience, bool joins_one_team) {
  return {.name = std::move(name),
          .summary = std::move(summary),
          .experience = experience,
          .distributions = {DistributionKind::kEpsilonGreedy},
          .recurrent = true,
          .values_actions = true,
          .joins_one_team = joins_one_team,
          .modes = experience == Experience::kReplay ? std::vector<CollectionMode>{SYNCHRONOUS, PIPELINED, ASYNCHRONOUS}
                                                     : std::vector<CollectionMode>{SYNCHRONOUS, PIPELINED}};
}

// Of those whose critics are told what all agents do.
AlgorithmCard JointActionCard(std::string name, std::string summary) {
  return {.name = std::move(name),
          .summary = std::move(summary),
          .experience = Experience::kReplay,
          .distributions = {DistributionKind::kCategorical, DistributionKind::kEpsilonGreedy,
                            DistributionKind::kMultiCategorical, DistributionKind::kDeterministic},
          .values_actions = true,
          .modes = {SYNCHRONOUS, PIPELINED, ASYNCHRONOUS}};
}

std::vector<AlgorithmCard> MakeCards() {
  std::vector<AlgorithmCard> cards = {
      {.name = "mappo",
       .summary = "multi-agent PPO with a shared critic; independent PPO with critic.input LOCAL_OBSERVATION",
       .experience = Experience::kOnPolicy,
       .distributions = {DistributionKind::kCategorical, DistributionKind::kGaussian,
                         DistributionKind::kSquashedGaussian, DistributionKind::kMultiCategorical},
       .recurrent = true,
       .communicates = true,
       .chooses_options = true,
       .leaves_rows_out = true,
       .modes = {SYNCHRONOUS, PIPELINED, ASYNCHRONOUS},
       .trajectory_fields = {"log_probabilities"}},
      ValueCard("iql", "independent Q-learning from a replay", Experience::kReplay, false),
      ValueCard("vdn", "Q-learning of the sum of the agents' values from a replay", Experience::kReplay, true),
      ValueCard("qmix", "Q-learning of a monotonic mixture of the agents' values from a replay", Experience::kReplay,
                true),
      ValueCard("pqn_vdn", "Q-learning of the sum of the agents' values from the newest batch", Experience::kOnPolicy,
                true),
      JointActionCard("maddpg", "deterministic policy gradients by critics of joint actions, from a replay"),
      JointActionCard("matd3", "MADDPG with twin critics, delayed actors and smoothed targets"),
  };
  for (AlgorithmCard& card : cards) {
    // The member of the oneof says whose it is.
    const auto* const member = FindAlgorithmSettings(*Experiment::descriptor(), card.name);
    if (member != nullptr) card.settings = member->name();
  }
  return cards;
}

template <typename Value>
bool Contains(const std::vector<Value>& values, Value value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace

absl::Span<const AlgorithmCard> AllAlgorithmCards() {
  static const auto* const cards = new std::vector<AlgorithmCard>(MakeCards());
  return *cards;
}

absl::StatusOr<const AlgorithmCard*> FindAlgorithmCard(const std::string& name) {
  for (const AlgorithmCard& card : AllAlgorithmCards()) {
    if (card.name == name) return &card;
  }
  return absl::NotFoundError(absl::StrCat("algorithm.name: ", UnknownAlgorithm(*Experiment::descriptor(), name)));
}

std::string FormatCard(const AlgorithmCard& card) {
  const std::string kinds = absl::StrJoin(card.distributions, " or ", [](std::string* text, DistributionKind kind) {
    absl::StrAppend(text, std::string(TraitsOf(kind).name));
  });
  const std::string modes = absl::StrJoin(card.modes, " | ", [](std::string* text, CollectionMode mode) {
    absl::StrAppend(text, CollectionMode_Name(mode));
  });
  return absl::StrCat(card.name, ": ", card.experience == Experience::kOnPolicy ? "on-policy" : "replay", ", ", kinds,
                      " actions, ", card.recurrent ? "feed-forward or recurrent" : "feed-forward", ", collection.mode ",
                      modes);
}

absl::Status CheckCollectionMode(const AlgorithmCard& card, const CollectionSettings& collection) {
  if (Contains(card.modes, collection.mode())) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("collection.mode: ", CollectionMode_Name(collection.mode()),
                                                 " is not for this algorithm (", FormatCard(card), ")"));
}

absl::Status CheckDistributions(const AlgorithmCard& card, const std::vector<PolicySpec>& policies) {
  for (const PolicySpec& policy : policies) {
    if (Contains(card.distributions, policy.distribution.kind)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("group \"", policy.group, "\" has ", std::string(TraitsOf(policy.distribution.kind).name),
                     " actions, which are not for this algorithm (", FormatCard(card), ")"));
  }
  return absl::OkStatus();
}

absl::Status CheckRecurrence(const AlgorithmCard& card, const Experiment& experiment) {
  const auto check = [&](const std::string& field, RecurrentCell cell) {
    if (CellOf(cell) == Cell::kNone) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": ", RecurrentCell_Name(cell), " is not for this algorithm (", FormatCard(card), ")"));
  };
  if (!card.recurrent) {
    RETURN_IF_ERROR(check("policy.recurrent_cell", experiment.policy().recurrent_cell()));
    for (const auto& [group, policy] : experiment.group_policies()) {
      RETURN_IF_ERROR(check(absl::StrCat("group_policies.", group, ".recurrent_cell"), policy.recurrent_cell()));
    }
  }
  // Who values actions has no critic.
  if (card.recurrent && !card.values_actions) return absl::OkStatus();
  return check("critic.recurrent_cell", experiment.critic().recurrent_cell());
}

namespace {

// Refuses a count that is not 0 in the settings of any group.
absl::Status RefuseCounts(const AlgorithmCard& card, const Experiment& experiment, const std::string& name,
                          uint32_t (PolicySettings::*count)() const, const std::string& why) {
  const auto check = [&](const std::string& field, const PolicySettings& policy) {
    if ((policy.*count)() == 0) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(field, ".", name, ": ", (policy.*count)(), ", but ", why,
                                                   " with this algorithm (", FormatCard(card), ")"));
  };
  RETURN_IF_ERROR(check("policy", experiment.policy()));
  for (const auto& [group, policy] : experiment.group_policies()) {
    RETURN_IF_ERROR(check(absl::StrCat("group_policies.", group), policy));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckCommunication(const AlgorithmCard& card, const Experiment& experiment) {
  if (card.communicates) return absl::OkStatus();
  return RefuseCounts(card, experiment, "message_size", &PolicySettings::message_size, "actors do not talk");
}

absl::Status CheckOptions(const AlgorithmCard& card, const Experiment& experiment) {
  if (card.chooses_options) return absl::OkStatus();
  return RefuseCounts(card, experiment, "num_options", &PolicySettings::num_options, "actors have no managers");
}

absl::Status CheckRowsLeftOut(const AlgorithmCard& card, const Experiment& experiment) {
  if (card.leaves_rows_out) return absl::OkStatus();
  const auto refuse = [&card](const std::string& field) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": this algorithm trains on all rows of all groups (", FormatCard(card), ")"));
  };
  if (HasPool(experiment.self_play())) return refuse("self_play.save_interval_updates");
  if (experiment.policy().frozen()) return refuse("policy.frozen");
  for (const auto& [group, policy] : experiment.group_policies()) {
    if (policy.frozen()) return refuse(absl::StrCat("group_policies.", group, ".frozen"));
  }
  return absl::OkStatus();
}

absl::Status CheckTeams(const AlgorithmCard& card, const EnvironmentSpec& environment) {
  const size_t teams = environment.teams().size();
  if (!card.joins_one_team || teams <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("algorithm.name: ", card.name, " joins the values of one team, but \"",
                                                 environment.name, "\" has ", teams, "; expected iql or mappo"));
}

absl::Status CheckAlgorithm(const Experiment& experiment) {
  ASSIGN_OR_RETURN(const AlgorithmCard* const card, FindAlgorithmCard(experiment.algorithm().name()));
  RETURN_IF_ERROR(CheckRecurrence(*card, experiment));
  RETURN_IF_ERROR(CheckCommunication(*card, experiment));
  RETURN_IF_ERROR(CheckOptions(*card, experiment));
  RETURN_IF_ERROR(CheckRowsLeftOut(*card, experiment));
  return CheckCollectionMode(*card, experiment.collection());
}

absl::Status CheckAlgorithm(const Experiment& experiment, const EnvironmentSpec& environment,
                            const std::vector<PolicySpec>& policies) {
  RETURN_IF_ERROR(CheckAlgorithm(experiment));
  ASSIGN_OR_RETURN(const AlgorithmCard* const card, FindAlgorithmCard(experiment.algorithm().name()));
  RETURN_IF_ERROR(CheckTeams(*card, environment));
  return CheckDistributions(*card, policies);
}

}  // namespace troupe
