// Groups of an environment as one, on a made-up environment of two groups and on simple_speaker_listener.
#include "actor_worker/environments/merged_groups.h"

#include <utility>

#include "actor_worker/environments/registry/registry.h"
#include "gtest/gtest.h"
#include "tests/conformance/environment_buffers.h"

namespace troupe {
namespace {

// Two lookouts, who observe 1 and 2 and have three actions of which the last is forbidden, and a rower, who observes
// (3, 4), is dead and has two. All are paid what they do, times ten and their number.
class Boat final : public Environment {
 public:
  Boat() {
    spec_.name = "boat";
    spec_.groups = {{.name = "lookouts", .agents = {"left", "right"}, .observation_size = 1, .action_size = 3},
                    {.name = "rowers", .agents = {"rower"}, .observation_size = 2, .action_size = 2}};
    spec_.groups[0].observed = {{"fog", "", 1, ""}};
    spec_.groups[1].observed = {{"pull", "", 1, ""}, {"fog", "", 1, ""}};
    spec_.groups[0].actions = {{"wait", ""}, {"call", ""}, {"point", ""}};
    spec_.groups[1].actions = {{"wait", ""}, {"pull", ""}};
    spec_.groups[0].neighbours = {{1}, {}};
    spec_.state_extras_size = 1;
  }
  const EnvironmentSpec& spec() const override { return spec_; }
  EnvironmentSpec& changeable_spec() { return spec_; }
  absl::Status Reset(uint64_t) override { return absl::OkStatus(); }
  absl::Status Step(const JointAction& action, StepOutcome& outcome) override {
    for (int a = 0; a < 2; ++a) outcome.rewards[0][a] = static_cast<float>(10 * a + action.groups[0].discrete[a]);
    outcome.rewards[1][0] = static_cast<float>(20 + action.groups[1].discrete[0]);
    outcome.truncated = true;
    return absl::OkStatus();
  }
  void Observe(JointObservation& seen) const override {
    for (int a = 0; a < 2; ++a) {
      seen.groups[0].observations[a] = static_cast<float>(a + 1);
      for (int action = 0; action < 3; ++action) seen.groups[0].action_mask[3 * a + action] = action < 2;
      seen.groups[0].alive[a] = 1;
    }
    seen.groups[1].observations[0] = 3;
    seen.groups[1].observations[1] = 4;
    std::fill(seen.groups[1].action_mask.begin(), seen.groups[1].action_mask.end(), 1);
    seen.groups[1].alive[0] = 0;
    seen.state_extras[0] = 5;
  }
  void EpisodeStatistics(absl::Span<double>) const override {}
  std::string Render() const override { return "a boat\n"; }

 private:
  EnvironmentSpec spec_;
};

TEST(MergedGroupsTest, AgentsKeepTheirNumbersAndHearTheOtherGroups) {
  const auto merged = MergedGroups::Create(std::make_unique<Boat>());
  ASSERT_TRUE(merged.ok()) << merged.status();
  ASSERT_EQ((*merged)->spec().groups.size(), 1);
  const AgentGroupSpec& group = (*merged)->spec().groups[0];
  EXPECT_EQ(group.agents, (std::vector<std::string>{"left", "right", "rower"}));
  ASSERT_EQ(group.observation_size, 3);
  EXPECT_EQ(group.observed[0].name, "lookouts_fog");
  EXPECT_EQ(group.observed[2].name, "rowers_fog");
  ASSERT_EQ(group.action_size, 3);
  EXPECT_EQ(group.actions[0].name, "wait");
  EXPECT_EQ(group.actions[1].name, "call_or_pull");
  EXPECT_EQ(group.actions[2].name, "point");
  // Of the lookouts only the left one hears the other; a rower hears both, and both hear it.
  EXPECT_EQ(group.neighbours, (std::vector<std::vector<int>>{{1, 2}, {2}, {0, 1}}));
  EXPECT_EQ((*merged)->spec().state_extras_size, 1);
}

TEST(MergedGroupsTest, WhatOtherGroupsSeeIsZeroAndWhatTheyCanDoIsForbidden) {
  const auto merged = MergedGroups::Create(std::make_unique<Boat>());
  ASSERT_TRUE(merged.ok()) << merged.status();
  std::vector<float> numbers(9, -1), extras(1, -1);
  std::vector<uint8_t> masks(9, 7), alive(3, 7);
  JointObservation seen{{{absl::MakeSpan(numbers), absl::MakeSpan(masks), absl::MakeSpan(alive)}},
                        absl::MakeSpan(extras)};
  (*merged)->Observe(seen);
  EXPECT_EQ(numbers, (std::vector<float>{1, 0, 0, 2, 0, 0, 0, 3, 4}));
  EXPECT_EQ(masks, (std::vector<uint8_t>{1, 1, 0, 1, 1, 0, 1, 1, 0}));
  EXPECT_EQ(alive, (std::vector<uint8_t>{1, 1, 0}));
  EXPECT_EQ(extras[0], 5);
}

TEST(MergedGroupsTest, ActionsGoToTheirAgentsAndRewardsComeBack) {
  const auto merged = MergedGroups::Create(std::make_unique<Boat>());
  ASSERT_TRUE(merged.ok()) << merged.status();
  const std::vector<int32_t> actions = {1, 0, 1};
  std::vector<float> rewards(3);
  StepOutcome outcome{.rewards = {absl::MakeSpan(rewards)}};
  ASSERT_TRUE((*merged)->Step({{{.discrete = actions}}}, outcome).ok());
  EXPECT_EQ(rewards, (std::vector<float>{1, 10, 21}));
  EXPECT_TRUE(outcome.truncated);
  EXPECT_FALSE(outcome.terminated);
}

TEST(MergedGroupsTest, RefusesGroupsThatAreNoneTogether) {
  const auto refused = [](auto change) {
    auto boat = std::make_unique<Boat>();
    change(boat->changeable_spec().groups);
    return std::string(MergedGroups::Create(std::move(boat)).status().message());
  };
  using Groups = std::vector<AgentGroupSpec>;
  EXPECT_EQ(refused([](Groups&) {}), "");
  const std::string field = "environment.settings.groups: MERGED, but ";
  EXPECT_EQ(refused([](Groups& groups) { groups[1].team = "pirates"; }),
            field + "\"lookouts\" and \"rowers\" play against each other");
  EXPECT_EQ(refused([](Groups& groups) { groups[1].action_kind = ActionKind::kContinuous; }),
            field + "actions of \"lookouts\" and \"rowers\" are discrete and continuous");
  EXPECT_EQ(refused([](Groups& groups) { groups[0].action_kind = groups[1].action_kind = ActionKind::kContinuous; }),
            field + "\"lookouts\" and \"rowers\" have different continuous actions");
  EXPECT_EQ(refused([](Groups& groups) { groups[1].agents = {"left"}; }), field + "two agents are called \"left\"");
}

// A whole episode's return by a baseline, of all agents together.
double ReturnOf(const std::string& baseline, const SettingsMap& settings) {
  const EnvironmentEntry& entry = **FindEnvironment("simple_speaker_listener");
  const auto environment = entry.create(settings);
  EXPECT_TRUE(environment.ok()) << environment.status();
  std::unique_ptr<Controller> player;
  for (const Baseline& row : entry.baselines(settings)) {
    if (row.name == baseline) player = row.make();
  }
  EXPECT_TRUE((*environment)->Reset(11).ok());
  player->Begin(**environment);
  EnvironmentBuffers buffers((*environment)->spec());
  for (buffers.Begin(); !buffers.over();) {
    buffers.Observe(**environment);
    buffers.ChooseBy(*player, **environment);
    buffers.Step(**environment);
  }
  std::vector<double> statistics((*environment)->spec().num_statistics());
  (*environment)->EpisodeStatistics(absl::MakeSpan(statistics));
  return statistics[0];
}

TEST(MergedGroupsTest, BaselinesPlayTheSameEpisode) {
  for (const char* continuous : {"false", "true"}) {
    const double apart = ReturnOf("say_and_go", {{"continuous_actions", continuous}, {"channel", "NONE"}});
    EXPECT_EQ(ReturnOf("say_and_go", {{"continuous_actions", continuous}, {"channel", "NONE"}, {"groups", "MERGED"}}),
              apart);
    EXPECT_NE(ReturnOf("go_between", {{"continuous_actions", continuous}, {"channel", "NONE"}}), apart);
  }
}

}  // namespace
}  // namespace troupe
