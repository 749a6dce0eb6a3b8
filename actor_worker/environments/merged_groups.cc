#include "actor_worker/environments/merged_groups.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/specs/neighbours.h"

namespace troupe {
namespace {

constexpr char kMerged[] = "MERGED";

absl::Status Refuse(const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("environment.settings.groups: ", kMerged, ", but ", why));
}

absl::Status CheckGroups(const std::vector<AgentGroupSpec>& groups) {
  std::set<std::string> names;
  for (const AgentGroupSpec& group : groups) {
    const AgentGroupSpec& first = groups[0];
    const std::string both = absl::StrCat("\"", first.name, "\" and \"", group.name, "\"");
    if (group.team != first.team) return Refuse(absl::StrCat(both, " play against each other"));
    if (group.action_kind != first.action_kind) {
      return Refuse(
          absl::StrCat("actions of ", both, " are ", NameOf(first.action_kind), " and ", NameOf(group.action_kind)));
    }
    if (group.action_kind != ActionKind::kDiscrete &&
        (group.action_size != first.action_size || group.action_sizes != first.action_sizes ||
         group.action_bounds != first.action_bounds)) {
      return Refuse(absl::StrCat(both, " have different ", NameOf(group.action_kind), " actions"));
    }
    for (const std::string& agent : group.agents) {
      if (!names.insert(agent).second) return Refuse(absl::StrCat("two agents are called \"", agent, "\""));
    }
  }
  return absl::OkStatus();
}

// Action i as every group has it.
NamedAction ActionOf(const std::vector<AgentGroupSpec>& groups, size_t i) {
  std::set<std::string> names;
  std::vector<std::string> meanings;
  for (const AgentGroupSpec& group : groups) {
    if (i >= group.actions.size()) continue;
    names.insert(group.actions[i].name);
    meanings.push_back(absl::StrCat(group.name, ": ", group.actions[i].name));
  }
  return {absl::StrJoin(names, "_or_"), absl::StrJoin(meanings, "; ")};
}

// Whether all groups tell: what they observe, or what they can do.
template <typename Names>
bool AllTell(const std::vector<AgentGroupSpec>& groups, Names names) {
  return std::none_of(groups.begin(), groups.end(), [names](const AgentGroupSpec& g) { return (g.*names).empty(); });
}

void AddNeighbours(const std::vector<AgentGroupSpec>& groups, AgentGroupSpec* merged) {
  const int all = merged->num_agents();
  int first = 0;
  for (const AgentGroupSpec& group : groups) {
    const int end = first + group.num_agents();
    for (const std::vector<int>& own : NeighboursOf(group)) {
      std::vector<int>& heard = merged->neighbours.emplace_back();
      for (int other = 0; other < first; ++other) heard.push_back(other);
      for (const int other : own) heard.push_back(first + other);
      for (int other = end; other < all; ++other) heard.push_back(other);
    }
    first = end;
  }
}

AgentGroupSpec Merge(const std::vector<AgentGroupSpec>& groups) {
  AgentGroupSpec merged = groups[0];
  merged.name = "agents";
  merged.agents.clear();
  merged.observed.clear();
  merged.actions.clear();
  merged.neighbours.clear();
  merged.observation_size = 0;
  for (const AgentGroupSpec& group : groups) {
    merged.agents.insert(merged.agents.end(), group.agents.begin(), group.agents.end());
    merged.observation_size += group.observation_size;
    merged.action_size = std::max(merged.action_size, group.action_size);
    for (const ObservedNumber& number : group.observed) {
      merged.observed.push_back(number);
      merged.observed.back().name = absl::StrCat(group.name, "_", number.name);
    }
  }
  if (!AllTell(groups, &AgentGroupSpec::observed)) merged.observed.clear();
  if (AllTell(groups, &AgentGroupSpec::actions)) {
    std::set<std::string> names;
    for (int i = 0; i < merged.action_size; ++i) {
      NamedAction action = ActionOf(groups, i);
      if (!names.insert(action.name).second) action.name = absl::StrCat(action.name, "_", i);
      merged.actions.push_back(std::move(action));
    }
  }
  AddNeighbours(groups, &merged);
  return merged;
}

// Plays groups, merged or not, by a rule that knows them apart.
class OfMerged final : public Controller {
 public:
  explicit OfMerged(std::unique_ptr<Controller> apart) : apart_(std::move(apart)) {}

  void Begin(const Environment& environment) override {
    const auto* const merged = dynamic_cast<const MergedGroups*>(&environment);
    apart_->Begin(merged == nullptr ? environment : merged->apart());
  }
  void Act(const Environment& environment, const JointObservation& observation,
           std::vector<absl::Span<int32_t>>& actions, std::vector<absl::Span<float>>& continuous_actions) override {
    const auto* const merged = dynamic_cast<const MergedGroups*>(&environment);
    if (merged == nullptr) return apart_->Act(environment, observation, actions, continuous_actions);
    const Environment& inside = merged->apart();
    discrete_.clear();
    continuous_.clear();
    seen_.groups.clear();
    size_t first = 0;
    for (const AgentGroupSpec& group : inside.spec().groups) {
      const size_t agents = group.num_agents(), choices = group.num_choices();
      const size_t numbers = group.action_kind == ActionKind::kContinuous ? group.action_size : 0;
      discrete_.push_back(actions[0].subspan(first * choices, agents * choices));
      continuous_.push_back(continuous_actions[0].subspan(first * numbers, agents * numbers));
      first += agents;
    }
    apart_->Act(inside, See(inside), discrete_, continuous_);
  }

 private:
  // What the groups see.
  const JointObservation& See(const Environment& inside) {
    const std::vector<AgentGroupSpec>& groups = inside.spec().groups;
    memory_.resize(groups.size());
    for (size_t g = 0; g < groups.size(); ++g) {
      const size_t agents = groups[g].num_agents();
      Memory& memory = memory_[g];
      memory.observations.resize(agents * groups[g].observation_size);
      memory.mask.resize(groups[g].has_masks() ? agents * groups[g].action_size : 0);
      memory.alive.resize(agents);
      seen_.groups.push_back(
          {absl::MakeSpan(memory.observations), absl::MakeSpan(memory.mask), absl::MakeSpan(memory.alive)});
    }
    extras_.resize(inside.spec().state_extras_size);
    seen_.state_extras = absl::MakeSpan(extras_);
    inside.Observe(seen_);
    return seen_;
  }

  struct Memory {
    std::vector<float> observations;
    std::vector<uint8_t> mask, alive;
  };
  const std::unique_ptr<Controller> apart_;
  std::vector<absl::Span<int32_t>> discrete_;
  std::vector<absl::Span<float>> continuous_;
  std::vector<Memory> memory_;
  std::vector<float> extras_;
  JointObservation seen_;
};

}  // namespace

bool ReadMergedGroups(SettingsReader& reader) {
  return reader.Choice("groups", "APART", {"APART", kMerged},
                       "each with a policy of its own, or all as one, whose agents can tell each other something "
                       "(policy.message_size)") == kMerged;
}

absl::StatusOr<std::unique_ptr<Environment>> MergedGroups::Create(std::unique_ptr<Environment> apart) {
  RETURN_IF_ERROR(CheckGroups(apart->spec().groups));
  return std::unique_ptr<Environment>(new MergedGroups(std::move(apart)));
}

MergedGroups::MergedGroups(std::unique_ptr<Environment> apart) : apart_(std::move(apart)), spec_(apart_->spec()) {
  const std::vector<AgentGroupSpec>& groups = apart_->spec().groups;
  spec_.groups = {Merge(groups)};
  action_.groups.resize(groups.size());
  outcome_.rewards.resize(groups.size());
  observations_.resize(groups.size());
  masks_.resize(groups.size());
  seen_.groups.resize(groups.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    observations_[g].resize(groups[g].num_agents() * groups[g].observation_size);
    masks_[g].resize(groups[g].has_masks() ? groups[g].num_agents() * groups[g].action_size : 0);
    seen_.groups[g] = {absl::MakeSpan(observations_[g]), absl::MakeSpan(masks_[g]), {}};
  }
}

const JointAction& MergedGroups::Apart(const JointAction& action) {
  const GroupAction& all = action.groups[0];
  size_t first = 0;
  for (size_t g = 0; g < action_.groups.size(); ++g) {
    const AgentGroupSpec& group = apart_->spec().groups[g];
    const size_t agents = group.num_agents(), choices = group.num_choices();
    if (group.has_masks()) {
      action_.groups[g].discrete = all.discrete.subspan(first * choices, agents * choices);
    } else {
      action_.groups[g].continuous = all.continuous.subspan(first * group.action_size, agents * group.action_size);
    }
    first += agents;
  }
  return action_;
}

absl::Status MergedGroups::Step(const JointAction& action, StepOutcome& outcome) {
  size_t first = 0;
  for (size_t g = 0; g < outcome_.rewards.size(); ++g) {
    const size_t agents = apart_->spec().groups[g].num_agents();
    outcome_.rewards[g] = outcome.rewards[0].subspan(first, agents);
    first += agents;
  }
  const absl::Status stepped = apart_->Step(Apart(action), outcome_);
  outcome.terminated = outcome_.terminated;
  outcome.truncated = outcome_.truncated;
  return stepped;
}

void MergedGroups::Observe(JointObservation& observation) const {
  GroupObservation& all = observation.groups[0];
  const int size = spec_.groups[0].observation_size, actions = spec_.groups[0].action_size;
  int first = 0;
  for (size_t g = 0; g < seen_.groups.size(); ++g) {
    const int agents = apart_->spec().groups[g].num_agents();
    seen_.groups[g].alive = all.alive.subspan(first, agents);
    first += agents;
  }
  seen_.state_extras = observation.state_extras;
  apart_->Observe(seen_);

  std::fill(all.observations.begin(), all.observations.end(), 0.0f);
  std::fill(all.action_mask.begin(), all.action_mask.end(), 0);
  int agent = 0, offset = 0;
  for (size_t g = 0; g < seen_.groups.size(); ++g) {
    const AgentGroupSpec& group = apart_->spec().groups[g];
    for (int a = 0; a < group.num_agents(); ++a, ++agent) {
      std::copy_n(observations_[g].begin() + a * group.observation_size, group.observation_size,
                  all.observations.begin() + agent * size + offset);
      if (!group.has_masks()) continue;
      std::copy_n(masks_[g].begin() + a * group.action_size, group.action_size,
                  all.action_mask.begin() + agent * actions);
    }
    offset += group.observation_size;
  }
}

std::vector<Baseline> OfMergedGroups(std::vector<Baseline> apart) {
  for (Baseline& baseline : apart) {
    baseline.make = [make = std::move(baseline.make)] { return std::make_unique<OfMerged>(make()); };
  }
  return apart;
}

}  // namespace troupe
