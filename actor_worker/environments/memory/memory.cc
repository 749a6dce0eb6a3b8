// Agents see a cue, walk down a corridor in which nothing tells it, and must choose by it at the end: the T-maze of
// Bakker, "Reinforcement learning with long short-term memory" (NIPS 2001), without wrong turns on the way.
//
// Step 0 shows the cue, steps 1 to `length` nothing, step length + 1 is the junction, where the choice ends the episode
// (terminated). Before the junction "walk" alone is allowed, at the junction everything but it. Reward at the junction:
//   1 to each agent whose choice is its cue, or, with all_must_match, 1 to everybody if all choices are right; else 0.
//
// Why a policy without memory cannot pass chance: at the junction each agent's observation and mask are the same
// whatever the cues were, and on the way there it had no choice by which it could have marked them. So a feed-forward
// policy's distribution over choices does not depend on the cue, and a cue is uniform among `num_cues`: it is right
// with probability 1 / num_cues. With all_must_match and cues of their own all are right with (1 /
// num_cues)^num_agents, with a common one with 1 / num_cues at most. A policy that remembers step 0 gets 1.
//
// State extras, for the critic: every agent's cue and the share of the way walked. Statistics: right (share of agents
// that chose their cue), all_right (0 or 1).
#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/scene.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/config/settings_reader.h"

namespace troupe {
namespace {

constexpr int kWalk = 0;
constexpr int kFirstChoice = 1;

struct MemorySettings {
  int num_agents = 2;
  int num_cues = 2;
  int length = 10;
  bool common_cue = false;
  bool all_must_match = false;
};

MemorySettings ReadSettings(SettingsReader& reader) {
  const MemorySettings fallback;
  MemorySettings settings;
  settings.num_agents = static_cast<int>(reader.Integer("num_agents", fallback.num_agents, 1, 64, "agents"));
  settings.num_cues = static_cast<int>(reader.Integer("num_cues", fallback.num_cues, 2, 64, "cues, and choices"));
  settings.length =
      static_cast<int>(reader.Integer("length", fallback.length, 0, 100000, "steps between cue and junction"));
  settings.common_cue =
      reader.Boolean("common_cue", fallback.common_cue, "the team has one cue, rather than each agent its own");
  settings.all_must_match =
      reader.Boolean("all_must_match", fallback.all_must_match, "everybody is paid, and only if all choose right");
  return settings;
}

class Memory final : public Environment {
 public:
  explicit Memory(const MemorySettings& settings)
      : settings_(settings), cues_(settings.num_agents), choices_(settings.num_agents) {
    AgentGroupSpec group{.name = "walkers"};
    group.actions = {{"walk", "before the junction"}};
    for (int cue = 0; cue < settings.num_cues; ++cue) {
      group.observed.push_back({absl::StrCat("cue_", cue), "", 1, "at the first step alone"});
      group.actions.push_back({absl::StrCat("choose_", cue), "at the junction"});
    }
    group.observed.push_back({"at_junction", "", 1, "0 or 1"});
    for (int agent = 0; agent < settings.num_agents; ++agent) {
      group.agents.push_back(absl::StrCat("walker_", agent));
      for (int cue = 0; cue < settings.num_cues; ++cue) {
        spec_.observed_extras.push_back({absl::StrCat("walker_", agent, "_cue_", cue), "", 1, "at every step"});
      }
    }
    spec_.observed_extras.push_back({"walked", "steps", 1.0 * LastStep(), "since the cue"});
    group.observation_size = static_cast<int>(group.observed.size());
    group.action_size = static_cast<int>(group.actions.size());
    spec_.name = "memory";
    spec_.groups = {std::move(group)};
    spec_.state_includes_observations = true;
    spec_.state_extras_size = static_cast<int>(spec_.observed_extras.size());
    spec_.statistics = {"right", "all_right"};
  }

  const EnvironmentSpec& spec() const override { return spec_; }

  absl::Status Reset(uint64_t seed) override {
    RandomStream random(MixKey({seed}));
    for (int& cue : cues_) cue = static_cast<int>(random.Below(settings_.num_cues));
    if (settings_.common_cue) std::fill(cues_.begin(), cues_.end(), cues_[0]);
    std::fill(choices_.begin(), choices_.end(), -1);
    step_ = num_right_ = 0;
    return absl::OkStatus();
  }

  absl::Status Step(const JointAction& action, StepOutcome& outcome) override {
    outcome.terminated = at_junction();
    outcome.truncated = false;
    std::fill(outcome.rewards[0].begin(), outcome.rewards[0].end(), 0.0f);
    if (!at_junction()) {
      ++step_;
      return absl::OkStatus();
    }
    for (int agent = 0; agent < settings_.num_agents; ++agent) {
      choices_[agent] = action.groups[0].discrete[agent] - kFirstChoice;
      const bool right = choices_[agent] == cues_[agent];
      num_right_ += right;
      outcome.rewards[0][agent] = right ? 1 : 0;
    }
    if (settings_.all_must_match) {
      std::fill(outcome.rewards[0].begin(), outcome.rewards[0].end(), all_right() ? 1.0f : 0.0f);
    }
    return absl::OkStatus();
  }

  void Observe(JointObservation& observation) const override {
    GroupObservation& seen = observation.groups[0];
    std::fill(seen.observations.begin(), seen.observations.end(), 0.0f);
    std::fill(seen.action_mask.begin(), seen.action_mask.end(), at_junction());
    std::fill(seen.alive.begin(), seen.alive.end(), 1);
    std::fill(observation.state_extras.begin(), observation.state_extras.end(), 0.0f);
    for (int agent = 0; agent < settings_.num_agents; ++agent) {
      float* const numbers = seen.observations.data() + agent * spec_.groups[0].observation_size;
      if (step_ == 0) numbers[cues_[agent]] = 1;
      numbers[settings_.num_cues] = at_junction() ? 1 : 0;
      seen.action_mask[agent * spec_.groups[0].action_size + kWalk] = !at_junction();
      observation.state_extras[agent * settings_.num_cues + cues_[agent]] = 1;
    }
    observation.state_extras.back() = static_cast<float>(step_) / static_cast<float>(LastStep());
  }

  void EpisodeStatistics(absl::Span<double> statistics) const override {
    statistics[0] = 1.0 * num_right_ / settings_.num_agents;
    statistics[1] = all_right() ? 1 : 0;
  }

  std::string Render() const override {
    std::string text =
        absl::StrCat("step ", step_, " of ", LastStep(), at_junction() ? ", at the junction; cues" : "; cues");
    for (const int cue : cues_) absl::StrAppend(&text, " ", cue);
    return absl::StrCat(text, "; chose right: ", num_right_, "\n");
  }

  // A corridor for each agent, its cue on the left, its choice on the right.
  void Draw(Scene& scene) const override {
    constexpr double kBegin = 1.6, kEnd = 10;
    scene.Map(0, 0, 12, settings_.num_agents);
    for (int agent = 0; agent < settings_.num_agents; ++agent) {
      const double y = settings_.num_agents - agent - 0.5;
      const double x = kBegin + (kEnd - kBegin) * step_ / LastStep();
      scene.Line({{kBegin, y}, {kEnd, y}}, 0.5, {.ink = Ink::kGround});
      Swatch(scene, {0.8, y}, cues_[agent], step_ == 0 ? 1.0 : 0.4, "its cue, which it sees at step 0 alone");
      scene.Circle({x, y}, 0.2, {.ink = Ink::kText, .note = spec_.groups[0].agents[agent]});
      scene.Text({x, y}, 0.22, absl::StrCat(agent), {.ink = Ink::kPaper});
      if (choices_[agent] < 0) continue;
      const bool right = choices_[agent] == cues_[agent];
      Swatch(scene, {10.8, y}, choices_[agent], 1, right ? "chose its cue" : "chose another than its cue");
      scene.Text({11.6, y}, 0.4, right ? "✓" : "✗", {.ink = right ? Ink::kGood : Ink::kBad});
    }
    scene.Fact("now", step_ == 0      ? "the cues are seen"
                      : at_junction() ? "at the junction"
                                      : "in the corridor nothing tells the cue");
    scene.Figure("share of the way", "walked", 1.0 * step_ / LastStep());
  }

  bool at_junction() const { return step_ == LastStep(); }
  int cue(int agent) const { return cues_[agent]; }

 private:
  // A cue or a choice: its colour and its number.
  static void Swatch(Scene& scene, ScenePoint at, int cue, double opacity, const char* note) {
    scene.Box({at.x - 0.32, at.y - 0.32}, {at.x + 0.32, at.y + 0.32},
              {.ink = TeamInk(cue), .opacity = opacity, .note = note});
    scene.Text(at, 0.32, absl::StrCat(cue), {.ink = Ink::kPaper});
  }
  int LastStep() const { return settings_.length + 1; }
  bool all_right() const { return num_right_ == settings_.num_agents; }

  const MemorySettings settings_;
  EnvironmentSpec spec_;
  std::vector<int> cues_;
  std::vector<int> choices_;  // -1: none yet
  int step_ = 0;              // LastStep(): at the junction
  int num_right_ = 0;
};

// Looks the cues up where agents must remember them.
class OptimalController final : public Controller {
 public:
  void Begin(const Environment&) override {}
  void Act(const Environment& environment, const JointObservation&, std::vector<absl::Span<int32_t>>& actions,
           std::vector<absl::Span<float>>&) override {
    const auto& memory = static_cast<const Memory&>(environment);
    for (size_t agent = 0; agent < actions[0].size(); ++agent) {
      actions[0][agent] = memory.at_junction() ? kFirstChoice + memory.cue(static_cast<int>(agent)) : kWalk;
    }
  }
};

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& settings_map) {
  SettingsReader reader(settings_map);
  const MemorySettings settings = ReadSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  return std::make_unique<Memory>(settings);
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

EnvironmentEntry MemoryEntry() {
  return {.name = "memory",
          .summary = "agents who must remember a cue to the end of a corridor: chance without memory",
          .create = Create,
          .baselines = Baselines,
          .describe_settings = Describe};
}

}  // namespace troupe
