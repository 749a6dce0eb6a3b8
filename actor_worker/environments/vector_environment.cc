#include "actor_worker/environments/vector_environment.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/create_copies.h"
#include "actor_worker/environments/random_actions.h"
#include "actor_worker/environments/same_spaces.h"
#include "common/base/finite.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/specs/reward_bound.h"

namespace troupe {
namespace {

// Domains that keep the streams of one copy apart.
constexpr uint64_t kActionDomain = 0x616374696f6e;
constexpr uint64_t kWarmUpDomain = 0x7761726d7570;

// Index of the first number that is not finite, or -1.
int64_t FirstNonFinite(absl::Span<const float> values) {
  if (AllFinite(values)) return -1;
  return std::find_if(values.begin(), values.end(), [](float v) { return !(v - v == 0.0f); }) - values.begin();
}

// One copy: its environment, where its episode stands, and its views into the current rows.
struct Copy {
  std::unique_ptr<Environment> environment;
  std::shared_ptr<const SettingsMap> settings;  // that it was made with
  uint64_t episode = 0;
  int length = 0;
  int warm_up_steps = 0;
  uint64_t seed = 0;  // of the episode
  uint64_t action_key = 0;
  std::vector<double> returns;  // per group, summed over agents
  JointAction action;
  StepOutcome outcome;

  bool over() const { return outcome.terminated || outcome.truncated; }
};

class Implementation final : public VectorEnvironment {
 public:
  Implementation(const EnvironmentEntry& entry, const SettingsMap& settings,
                 std::vector<std::unique_ptr<Environment>> environments);

  void BeginEpisodesWith(std::shared_ptr<const SettingsMap> settings) override { settings_ = std::move(settings); }
  const EnvironmentSpec& spec() const override { return spec_; }
  int copies() const override { return static_cast<int>(copies_.size()); }
  absl::Status Start(const StartOptions& options, const ObservationRow& first) override;
  absl::Status Step(const ActionRow& actions, const OutcomeRow& outcome, const ObservationRow& next) override;
  absl::Span<const TruncatedCopy> truncated() const override { return {truncated_.data(), num_truncated_}; }
  absl::Span<const FinishedCopy> finished() const override { return {finished_.data(), num_finished_}; }
  void DrawUniforms(int group, absl::Span<float> uniforms) const override;

 private:
  absl::StatusOr<std::unique_ptr<Environment>> MakeAnother();
  absl::Status Renew(Copy& copy);
  // Begins the copy's episode but for its environment's Reset, for which it is prepared.
  absl::Status PrepareEpisode(int c);
  absl::Status ResetCopy(int c);
  absl::Status StepCopy(int c);
  // Fills seen_ where it points to. An episode's last observation needs no allowed action.
  absl::Status ObserveCopy(int c, bool last = false);
  absl::Status StepAtRandom(int c, RandomStream& random, const ObservationRow& scratch);
  absl::Status WarmUp(int c, int steps, const ObservationRow& scratch);
  absl::StatusOr<int> MeasureEpisode(const ObservationRow& scratch);
  void PointAtActions(int c, const ActionRow& actions, const OutcomeRow& outcome);
  // Steps the copy that PointAtActions was called for, up to the Reset that follows the end of an episode.
  absl::Status StepInto(int c, const OutcomeRow& outcome);
  void PointAtRow(int c, const ObservationRow& row);
  void PointAtFinal(int slot);
  void ReportFinished(int c);
  void ReportTruncated(int c, size_t slot);
  absl::Status Annotate(int c, const absl::Status& status) const;

  const EnvironmentEntry entry_;
  EnvironmentSpec spec_;
  std::shared_ptr<const SettingsMap> settings_;  // of episodes that begin
  std::vector<Copy> copies_;
  // Made together for copies that are yet to be renewed, with spare_settings_.
  std::vector<std::unique_ptr<Environment>> spare_;
  std::shared_ptr<const SettingsMap> spare_settings_;
  StartOptions options_;
  JointObservation seen_;                               // reused views
  std::vector<std::vector<int32_t>> random_discrete_;   // per group [A, D], warm-up only
  std::vector<std::vector<float>> random_continuous_;   // per group [A, N]
  std::vector<std::vector<float>> scratch_rewards_;     // per group [A]
  std::vector<std::vector<float>> final_observations_;  // per group [E, A, O]
  std::vector<std::vector<uint8_t>> final_masks_;       // per group [E, A, N], of discrete groups
  std::vector<std::vector<uint8_t>> final_alive_;       // per group [E, A]
  std::vector<float> final_state_extras_;               // [E, S]
  std::vector<double> group_returns_;                   // [E, groups]
  std::vector<double> statistics_;                      // [E, statistics]
  std::vector<TruncatedCopy> truncated_;
  std::vector<FinishedCopy> finished_;
  size_t num_truncated_ = 0;
  size_t num_finished_ = 0;
};

Implementation::Implementation(const EnvironmentEntry& entry, const SettingsMap& settings,
                               std::vector<std::unique_ptr<Environment>> environments)
    : entry_(entry),
      spec_(environments.front()->spec()),
      settings_(std::make_shared<const SettingsMap>(settings)),
      copies_(environments.size()) {
  const size_t num_copies = copies_.size(), num_groups = spec_.groups.size();
  for (size_t c = 0; c < num_copies; ++c) {
    copies_[c].environment = std::move(environments[c]);
    copies_[c].settings = settings_;
    copies_[c].returns.resize(num_groups);
    copies_[c].action.groups.resize(num_groups);
    copies_[c].outcome.rewards.resize(num_groups);
  }
  seen_.groups.resize(num_groups);
  for (const AgentGroupSpec& group : spec_.groups) {
    const size_t agents = group.num_agents();
    random_discrete_.emplace_back(agents * group.num_choices());
    random_continuous_.emplace_back(group.has_masks() ? 0 : agents * group.action_size);
    scratch_rewards_.emplace_back(agents);
    final_observations_.emplace_back(num_copies * agents * group.observation_size);
    final_masks_.emplace_back(group.has_masks() ? num_copies * agents * group.action_size : 0);
    final_alive_.emplace_back(num_copies * agents);
  }
  final_state_extras_.resize(num_copies * spec_.state_extras_size);
  group_returns_.resize(num_copies * num_groups);
  statistics_.resize(num_copies * spec_.num_statistics());
  truncated_.resize(num_copies);
  for (TruncatedCopy& copy : truncated_) {
    copy.final_observations.resize(num_groups);
    copy.final_alive.resize(num_groups);
    copy.final_action_masks.resize(num_groups);
  }
  finished_.resize(num_copies);
}

absl::Status Implementation::Annotate(int c, const absl::Status& status) const {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(spec_.name, " copy ", c, ", episode ", copies_[c].episode, ", step ",
                                                  copies_[c].length, ": ", status.message()));
}

void Implementation::PointAtRow(int c, const ObservationRow& row) {
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    const AgentGroupSpec& group = spec_.groups[g];
    const size_t agents = group.num_agents();
    const size_t seen = agents * group.observation_size, choices = agents * group.action_size;
    GroupObservation& view = seen_.groups[g];
    view.observations = row.groups[g].observations.subspan(c * seen, seen);
    view.action_mask = {};
    if (group.has_masks()) view.action_mask = row.groups[g].action_masks.subspan(c * choices, choices);
    view.alive = row.groups[g].alive.subspan(c * agents, agents);
  }
  seen_.state_extras = row.state_extras.subspan(size_t(c) * spec_.state_extras_size, spec_.state_extras_size);
}

void Implementation::PointAtFinal(int slot) {
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    const size_t agents = spec_.groups[g].num_agents(), seen = agents * spec_.groups[g].observation_size;
    seen_.groups[g].observations = absl::MakeSpan(final_observations_[g]).subspan(slot * seen, seen);
    const size_t choices = final_masks_[g].size() / copies_.size();
    seen_.groups[g].action_mask = absl::MakeSpan(final_masks_[g]).subspan(slot * choices, choices);
    seen_.groups[g].alive = absl::MakeSpan(final_alive_[g]).subspan(slot * agents, agents);
  }
  const size_t extras = spec_.state_extras_size;
  seen_.state_extras = absl::MakeSpan(final_state_extras_).subspan(slot * extras, extras);
}

absl::Status Implementation::ObserveCopy(int c, bool last) {
  copies_[c].environment->Observe(seen_);
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    const AgentGroupSpec& group = spec_.groups[g];
    const absl::Span<const float> values = seen_.groups[g].observations;
    if (const int64_t bad = FirstNonFinite(values); bad >= 0) {
      return absl::InternalError(absl::StrCat("observation ", bad % group.observation_size, " of agent ",
                                              group.agents[bad / group.observation_size], " in group ", group.name,
                                              " is ", values[bad], ", expected a finite number"));
    }
    const uint8_t* mask = seen_.groups[g].action_mask.data();
    for (int i = 0; i < group.num_agents() * group.num_choices() && !last; ++i) {
      const int index = i % group.num_choices(), size = group.choices_of(index);
      uint32_t allowed = 0;
      for (int n = 0; n < size; ++n) allowed |= mask[n];
      mask += size;
      if (allowed == 0) {
        return absl::InternalError(absl::StrCat(
            "agent ", group.agents[i / group.num_choices()], " in group ", group.name, " has no allowed action",
            group.num_choices() > 1 ? absl::StrCat(" in dimension ", index) : "", ", expected at least one"));
      }
    }
  }
  if (const int64_t bad = FirstNonFinite(seen_.state_extras); bad >= 0) {
    return absl::InternalError(
        absl::StrCat("state extra ", bad, " is ", seen_.state_extras[bad], ", expected a finite number"));
  }
  return absl::OkStatus();
}

// One with the settings that episodes are to begin with.
absl::StatusOr<std::unique_ptr<Environment>> Implementation::MakeAnother() {
  if (entry_.create_copies == nullptr) return entry_.create(*settings_);
  if (spare_settings_ != settings_ || spare_.empty()) {
    spare_.clear();
    ASSIGN_OR_RETURN(spare_, entry_.create_copies(*settings_, copies()));
    spare_settings_ = settings_;
  }
  std::unique_ptr<Environment> environment = std::move(spare_.back());
  spare_.pop_back();
  return environment;
}

// A new environment where the copy's own has other settings than episodes are to begin with.
absl::Status Implementation::Renew(Copy& copy) {
  if (copy.settings == settings_) return absl::OkStatus();
  if (copy.settings == nullptr || *copy.settings != *settings_) {
    // The old one goes first, so that never more than one simulator is there for a copy.
    copy.environment = nullptr;
    copy.settings = nullptr;
    ASSIGN_OR_RETURN(copy.environment, MakeAnother());
    const std::string difference = DescribeOtherSpaces(spec_, copy.environment->spec());
    if (!difference.empty()) return absl::FailedPreconditionError("with other settings, " + difference);
  }
  copy.settings = settings_;
  return absl::OkStatus();
}

absl::Status Implementation::PrepareEpisode(int c) {
  Copy& copy = copies_[c];
  RETURN_IF_ERROR(Renew(copy));
  copy.length = 0;
  copy.warm_up_steps = 0;
  std::fill(copy.returns.begin(), copy.returns.end(), 0.0);
  copy.seed = MixKey({options_.run_seed, options_.shard, options_.lease_epoch, uint64_t(c), copy.episode});
  copy.action_key = MixKey({copy.seed, kActionDomain});
  copy.environment->PrepareReset(copy.seed);
  return absl::OkStatus();
}

absl::Status Implementation::ResetCopy(int c) {
  RETURN_IF_ERROR(PrepareEpisode(c));
  return copies_[c].environment->Reset(copies_[c].seed);
}

// Uses copy.action and copy.outcome, whose views the caller has set.
absl::Status Implementation::StepCopy(int c) {
  Copy& copy = copies_[c];
  copy.outcome.terminated = copy.outcome.truncated = false;
  RETURN_IF_ERROR(copy.environment->Step(copy.action, copy.outcome));
  ++copy.length;
  if (copy.outcome.terminated && copy.outcome.truncated) {
    return absl::InternalError("the episode is reported both terminated and truncated, expected one of them");
  }
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    const absl::Span<const float> rewards = copy.outcome.rewards[g];
    if (const int64_t bad = FirstNonFinite(rewards); bad >= 0) {
      return absl::InternalError(absl::StrCat("reward of agent ", spec_.groups[g].agents[bad], " in group ",
                                              spec_.groups[g].name, " is ", rewards[bad],
                                              ", expected a finite number"));
    }
    double sum = 0;
    for (size_t a = 0; a < rewards.size(); ++a) {
      if (std::fabs(rewards[a]) > kLargestReward) {
        return absl::InternalError(absl::StrCat("reward of agent ", spec_.groups[g].agents[a], " in group ",
                                                spec_.groups[g].name, " is ", rewards[a], ", expected at most ",
                                                kLargestReward, " in magnitude: a glitch, or rewards to be divided"));
      }
      sum += rewards[a];
    }
    copy.returns[g] += sum;
  }
  return absl::OkStatus();
}

// Plays one uniformly random allowed action per agent by the masks in the copy's place of `scratch`.
absl::Status Implementation::StepAtRandom(int c, RandomStream& random, const ObservationRow& scratch) {
  Copy& copy = copies_[c];
  PointAtRow(c, scratch);
  RETURN_IF_ERROR(ObserveCopy(c));
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    ChooseRandomActions(spec_.groups[g], seen_.groups[g].action_mask, random, absl::MakeSpan(random_discrete_[g]),
                        absl::MakeSpan(random_continuous_[g]));
    copy.action.groups[g] = {random_discrete_[g], random_continuous_[g]};
    copy.outcome.rewards[g] = absl::MakeSpan(scratch_rewards_[g]);
  }
  RETURN_IF_ERROR(StepCopy(c));
  ++copy.warm_up_steps;
  return absl::OkStatus();
}

absl::StatusOr<int> Implementation::MeasureEpisode(const ObservationRow& scratch) {
  RandomStream random(MixKey({options_.run_seed, options_.shard, options_.lease_epoch, kWarmUpDomain}));
  RETURN_IF_ERROR(Annotate(0, ResetCopy(0)));
  while (copies_[0].length < StartOptions::kLongestMeasuredEpisode) {
    RETURN_IF_ERROR(Annotate(0, StepAtRandom(0, random, scratch)));
    if (copies_[0].over()) break;
  }
  return copies_[0].length;
}

absl::Status Implementation::WarmUp(int c, int steps, const ObservationRow& scratch) {
  RandomStream random(copies_[c].action_key, kWarmUpDomain);
  for (int i = 0; i < steps; ++i) {
    RETURN_IF_ERROR(StepAtRandom(c, random, scratch));
    if (copies_[c].over()) {
      ++copies_[c].episode;
      RETURN_IF_ERROR(ResetCopy(c));
    }
  }
  return absl::OkStatus();
}

absl::Status Implementation::Start(const StartOptions& options, const ObservationRow& first) try {
  options_ = options;
  num_truncated_ = num_finished_ = 0;
  for (Copy& copy : copies_) copy.episode = 0;
  int bound = options.max_warm_up_steps;
  if (bound == StartOptions::kOneEpisode) {
    ASSIGN_OR_RETURN(const int length, MeasureEpisode(first));
    bound = length - 1;
  }
  for (int c = 0; c < copies(); ++c) RETURN_IF_ERROR(Annotate(c, PrepareEpisode(c)));
  for (int c = 0; c < copies(); ++c) {
    RETURN_IF_ERROR(Annotate(c, copies_[c].environment->Reset(copies_[c].seed)));
    if (bound > 0) {
      RandomStream random(copies_[c].action_key, kWarmUpDomain + 1);
      RETURN_IF_ERROR(Annotate(c, WarmUp(c, static_cast<int>(random.Below(bound + 1)), first)));
    }
    PointAtRow(c, first);
    RETURN_IF_ERROR(Annotate(c, ObserveCopy(c)));
  }
  return absl::OkStatus();
} catch (const std::exception& thrown) {
  return absl::InternalError(absl::StrCat(spec_.name, " threw: ", thrown.what()));
}

void Implementation::ReportFinished(int c) {
  const size_t groups = spec_.groups.size(), names = spec_.num_statistics();
  const absl::Span<double> returns = absl::MakeSpan(group_returns_).subspan(num_finished_ * groups, groups);
  for (size_t g = 0; g < groups; ++g) returns[g] = copies_[c].returns[g] / std::max(1, spec_.groups[g].num_agents());
  const absl::Span<double> statistics = absl::MakeSpan(statistics_).subspan(num_finished_ * names, names);
  copies_[c].environment->EpisodeStatistics(statistics);
  finished_[num_finished_++] = {c, copies_[c].length, copies_[c].warm_up_steps, returns, statistics};
}

void Implementation::ReportTruncated(int c, size_t slot) {
  truncated_[slot].copy = c;
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    truncated_[slot].final_observations[g] = seen_.groups[g].observations;
    truncated_[slot].final_alive[g] = seen_.groups[g].alive;
    truncated_[slot].final_action_masks[g] = seen_.groups[g].action_mask;
  }
  truncated_[slot].final_state_extras = seen_.state_extras;
}

void Implementation::PointAtActions(int c, const ActionRow& actions, const OutcomeRow& outcome) {
  Copy& copy = copies_[c];
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    const AgentGroupSpec& group = spec_.groups[g];
    const size_t agents = group.num_agents(), indices = agents * group.num_choices();
    const size_t numbers = group.has_masks() ? 0 : agents * group.action_size;
    copy.action.groups[g] = {.discrete = actions.groups[g].discrete.subspan(c * indices, indices),
                             .continuous = actions.groups[g].continuous.subspan(c * numbers, numbers)};
    copy.outcome.rewards[g] = outcome.rewards[g].subspan(c * agents, agents);
  }
}

absl::Status Implementation::StepInto(int c, const OutcomeRow& outcome) {
  Copy& copy = copies_[c];
  RETURN_IF_ERROR(StepCopy(c));
  outcome.terminated[c] = copy.outcome.terminated;
  outcome.truncated[c] = copy.outcome.truncated;
  if (copy.outcome.truncated) {
    PointAtFinal(static_cast<int>(num_truncated_));
    RETURN_IF_ERROR(ObserveCopy(c, /*last=*/true));
    ReportTruncated(c, num_truncated_++);
  }
  if (!copy.over()) return absl::OkStatus();
  ReportFinished(c);
  ++copy.episode;
  return PrepareEpisode(c);
}

absl::Status Implementation::Step(const ActionRow& actions, const OutcomeRow& outcome, const ObservationRow& next) {
  num_truncated_ = num_finished_ = 0;
  int c = 0;
  try {
    for (c = 0; c < copies(); ++c) {
      PointAtActions(c, actions, outcome);
      copies_[c].environment->PrepareStep(copies_[c].action);
    }
    for (c = 0; c < copies(); ++c) RETURN_IF_ERROR(Annotate(c, StepInto(c, outcome)));
    for (c = 0; c < copies(); ++c) {
      if (copies_[c].over()) RETURN_IF_ERROR(Annotate(c, copies_[c].environment->Reset(copies_[c].seed)));
      PointAtRow(c, next);
      RETURN_IF_ERROR(Annotate(c, ObserveCopy(c)));
    }
  } catch (const std::exception& thrown) {
    return Annotate(c, absl::InternalError(absl::StrCat("threw: ", thrown.what())));
  }
  return absl::OkStatus();
}

void Implementation::DrawUniforms(int group, absl::Span<float> uniforms) const {
  const size_t numbers = uniforms.size() / copies_.size();
  for (size_t c = 0; c < copies_.size(); ++c) {
    RandomStream random(copies_[c].action_key, uint64_t(copies_[c].length) * spec_.groups.size() + group);
    for (size_t i = 0; i < numbers; ++i) uniforms[c * numbers + i] = random.Uniform();
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<VectorEnvironment>> VectorEnvironment::Create(const EnvironmentEntry& entry,
                                                                             const SettingsMap& settings, int copies) {
  if (copies < 1) return absl::InvalidArgumentError(absl::StrCat("copies is ", copies, ", expected at least 1"));
  ASSIGN_OR_RETURN(std::vector<std::unique_ptr<Environment>> environments, CreateCopies(entry, settings, copies));
  return std::make_unique<Implementation>(entry, settings, std::move(environments));
}

}  // namespace troupe
