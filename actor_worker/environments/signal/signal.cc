// Agents on a ring, each with a cue that it alone sees, must choose by the cue of another one: what there is to know
// must be told. The smallest game in which communication is worth everything and silence chance, as the multi-step
// riddles of arXiv:1605.06676 (section 6) are to their authors.
//
// Step 0 shows each agent its own cue, the steps after that nothing but how far the episode is; the choice is made at
// step `distance`, which ends the episode (terminated). Agent i is to choose the cue of agent i − distance, and hears
// agent i − 1 alone (of the ring: numbers modulo num_agents): a message takes `distance` steps there, each one from
// neighbour to neighbour. Before the last step "wait" alone is allowed, at the last everything but it. Reward at the
// last step: 1 to each agent whose choice is right, else 0.
//
// Why actors that are silent cannot pass chance: cues are drawn independently of one another, and all that an agent
// sees in an episode depends on its own alone, since nobody has a choice before the last step. So its choice is
// independent of the cue asked for, which is uniform among `num_cues`: right with probability 1 / num_cues, whatever it
// remembers. Actors that tell get 1: one number of a message, or log2(num_cues) bits, is enough.
//
// State extras, for the critic: every agent's cue and the share of the steps done. Statistics: right (share of agents
// whose choice was right), all_right (0 or 1).
#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/environment.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/config/settings_reader.h"

namespace troupe {
namespace {

constexpr int kWait = 0;
constexpr int kFirstChoice = 1;

struct SignalSettings {
  int num_agents = 3;
  int num_cues = 4;
  int distance = 1;
};

SignalSettings ReadSettings(SettingsReader& reader) {
  const SignalSettings fallback;
  SignalSettings settings;
  settings.num_agents = static_cast<int>(reader.Integer("num_agents", fallback.num_agents, 2, 64, "agents"));
  settings.num_cues = static_cast<int>(reader.Integer("num_cues", fallback.num_cues, 2, 64, "cues, and choices"));
  settings.distance = static_cast<int>(
      reader.Integer("distance", fallback.distance, 1, 63, "from an agent to the one whose cue it must choose"));
  return settings;
}

class Signal final : public Environment {
 public:
  explicit Signal(const SignalSettings& settings) : settings_(settings), cues_(settings.num_agents) {
    AgentGroupSpec group{.name = "callers"};
    group.actions = {{"wait", "before the last step"}};
    for (int cue = 0; cue < settings.num_cues; ++cue) {
      group.observed.push_back({absl::StrCat("cue_", cue), "", 1, "the agent's own, at the first step alone"});
      group.actions.push_back({absl::StrCat("choose_", cue), "at the last step"});
    }
    group.observed.push_back({"step", "steps", 1.0 * settings.distance, "since the cue"});
    for (int agent = 0; agent < settings.num_agents; ++agent) {
      group.agents.push_back(absl::StrCat("caller_", agent));
      group.neighbours.push_back({Before(agent, 1)});
      for (int cue = 0; cue < settings.num_cues; ++cue) {
        spec_.observed_extras.push_back({absl::StrCat("caller_", agent, "_cue_", cue), "", 1, "at every step"});
      }
    }
    spec_.observed_extras.push_back(group.observed.back());
    group.observation_size = static_cast<int>(group.observed.size());
    group.action_size = static_cast<int>(group.actions.size());
    spec_.name = "signal";
    spec_.groups = {std::move(group)};
    spec_.state_includes_observations = true;
    spec_.state_extras_size = static_cast<int>(spec_.observed_extras.size());
    spec_.statistics = {"right", "all_right"};
  }

  const EnvironmentSpec& spec() const override { return spec_; }

  absl::Status Reset(uint64_t seed) override {
    RandomStream random(MixKey({seed}));
    for (int& cue : cues_) cue = static_cast<int>(random.Below(settings_.num_cues));
    step_ = num_right_ = 0;
    return absl::OkStatus();
  }

  absl::Status Step(const JointAction& action, StepOutcome& outcome) override {
    outcome.terminated = is_last();
    outcome.truncated = false;
    std::fill(outcome.rewards[0].begin(), outcome.rewards[0].end(), 0.0f);
    if (!is_last()) {
      ++step_;
      return absl::OkStatus();
    }
    for (int agent = 0; agent < settings_.num_agents; ++agent) {
      const bool right = action.groups[0].discrete[agent] - kFirstChoice == cue_asked_of(agent);
      num_right_ += right;
      outcome.rewards[0][agent] = right ? 1 : 0;
    }
    return absl::OkStatus();
  }

  void Observe(JointObservation& observation) const override {
    GroupObservation& seen = observation.groups[0];
    std::fill(seen.observations.begin(), seen.observations.end(), 0.0f);
    std::fill(seen.action_mask.begin(), seen.action_mask.end(), is_last());
    std::fill(seen.alive.begin(), seen.alive.end(), 1);
    std::fill(observation.state_extras.begin(), observation.state_extras.end(), 0.0f);
    const float done = static_cast<float>(step_) / static_cast<float>(settings_.distance);
    for (int agent = 0; agent < settings_.num_agents; ++agent) {
      float* const numbers = seen.observations.data() + agent * spec_.groups[0].observation_size;
      if (step_ == 0) numbers[cues_[agent]] = 1;
      numbers[settings_.num_cues] = done;
      seen.action_mask[agent * spec_.groups[0].action_size + kWait] = !is_last();
      observation.state_extras[agent * settings_.num_cues + cues_[agent]] = 1;
    }
    observation.state_extras.back() = done;
  }

  void EpisodeStatistics(absl::Span<double> statistics) const override {
    statistics[0] = 1.0 * num_right_ / settings_.num_agents;
    statistics[1] = num_right_ == settings_.num_agents ? 1 : 0;
  }

  std::string Render() const override {
    std::string text = absl::StrCat("step ", step_, " of ", settings_.distance, "; cues");
    for (const int cue : cues_) absl::StrAppend(&text, " ", cue);
    return absl::StrCat(text, "; chose right: ", num_right_, "\n");
  }

  bool is_last() const { return step_ == settings_.distance; }
  int cue_asked_of(int agent) const { return cues_[Before(agent, settings_.distance)]; }

 private:
  // The agent `steps` before this one on the ring.
  int Before(int agent, int steps) const {
    return (agent + settings_.num_agents - steps % settings_.num_agents) % settings_.num_agents;
  }

  const SignalSettings settings_;
  EnvironmentSpec spec_;
  std::vector<int> cues_;
  int step_ = 0;
  int num_right_ = 0;
};

// Looks the cues up that agents must be told.
class OptimalController final : public Controller {
 public:
  void Begin(const Environment&) override {}
  void Act(const Environment& environment, const JointObservation&, std::vector<absl::Span<int32_t>>& actions,
           std::vector<absl::Span<float>>&) override {
    const auto& signal = static_cast<const Signal&>(environment);
    for (size_t agent = 0; agent < actions[0].size(); ++agent) {
      actions[0][agent] = signal.is_last() ? kFirstChoice + signal.cue_asked_of(static_cast<int>(agent)) : kWait;
    }
  }
};

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& settings_map) {
  SettingsReader reader(settings_map);
  const SignalSettings settings = ReadSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  if (settings.distance % settings.num_agents == 0) {
    return absl::InvalidArgumentError(absl::StrCat("environment.settings.distance: ", settings.distance,
                                                   " on a ring of ", settings.num_agents,
                                                   " agents leads back to the agent itself, which sees its cue"));
  }
  return std::make_unique<Signal>(settings);
}

std::vector<Baseline> Baselines(const SettingsMap&) {
  return {{.name = "optimal", .setting_overrides = {}, .make = [] { return std::make_unique<OptimalController>(); }}};
}

std::string Describe() {
  SettingsReader reader({});
  ReadSettings(reader);
  return reader.Describe();
}

}  // namespace

EnvironmentEntry SignalEntry() {
  return {.name = "signal",
          .summary = "agents who must choose by another's cue: chance unless they tell each other",
          .create = Create,
          .baselines = Baselines,
          .describe_settings = Describe};
}

}  // namespace troupe
