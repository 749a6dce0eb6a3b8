// What the particle environments add to the physics: rewards worked out by hand, settings, scripted sides, statistics.
#include <set>

#include "tests/environments/mpe_test_support.h"

namespace troupe {
namespace {

constexpr int kNone = 0;

// Everybody at rest at these places, landmarks at those.
void Place(MpeEnvironment& environment, const std::vector<Vector2>& agents, const std::vector<Vector2>& landmarks,
           const std::vector<int>& goals = {}) {
  MpeWorld world = environment.world();
  ASSERT_EQ(agents.size(), world.agents.size());
  ASSERT_EQ(landmarks.size(), world.landmarks.size());
  for (size_t i = 0; i < agents.size(); ++i) {
    world.agents[i].position = agents[i];
    world.agents[i].velocity = {};
  }
  for (size_t i = 0; i < landmarks.size(); ++i) world.landmarks[i].position = landmarks[i];
  world.goals = goals;
  environment.Restart(world);
}

// A step in which every learnt agent does `action`; returns all agents' rewards.
std::vector<double> StepAll(MpeEnvironment& environment, int action) {
  std::vector<std::vector<int32_t>> actions;
  std::vector<std::vector<float>> rewards;
  for (const AgentGroupSpec& group : environment.spec().groups) {
    actions.emplace_back(group.num_agents(), action);
    rewards.emplace_back(group.num_agents());
  }
  JointAction joint;
  StepOutcome outcome;
  for (size_t g = 0; g < actions.size(); ++g) {
    joint.groups.push_back({.discrete = actions[g]});
    outcome.rewards.push_back(absl::MakeSpan(rewards[g]));
  }
  EXPECT_TRUE(environment.Step(joint, outcome).ok());
  return {environment.rewards().begin(), environment.rewards().end()};
}

TEST(SimpleSpreadTest, PaysForDistancesAndCollisionsInBothConventions) {
  // Agents 0 and 1 overlap by 0.1; landmark distances to the nearest agent: 0, 0.3, 0.5.
  const std::vector<Vector2> agents = {{0, 0}, {0.2, 0}, {0, 1}}, landmarks = {{0, 0}, {0.2, 0.3}, {0.4, 0.7}};
  const auto petting_zoo = MakeMpe("simple_spread", {{"local_ratio", "0.25"}});
  Place(*petting_zoo, agents, landmarks);
  const std::vector<double> mixed = StepAll(*petting_zoo, kNone);
  EXPECT_NEAR(mixed[0], -0.75 * 0.8 - 0.25, 1e-9);
  EXPECT_NEAR(mixed[1], -0.75 * 0.8 - 0.25, 1e-9);
  EXPECT_NEAR(mixed[2], -0.75 * 0.8, 1e-9);
  const auto original = MakeMpe("simple_spread", {{"rewards", "ORIGINAL"}});
  Place(*original, agents, landmarks);
  for (const double reward : StepAll(*original, kNone)) EXPECT_NEAR(reward, 3 * -0.8 - 2 - 3, 1e-9);
  std::vector<double> statistics(4);
  original->EpisodeStatistics(absl::MakeSpan(statistics));
  EXPECT_NEAR(statistics[0], 1, 1e-12);   // one pair, one step
  EXPECT_NEAR(statistics[1], 0.8, 1e-9);  // distance
  EXPECT_NEAR(statistics[2], 1, 1e-12);   // occupied
  EXPECT_NEAR(statistics[3], 1, 1e-12);   // at the end
}

TEST(SimpleTagTest, PaysPredatorsTogetherAndPreyForTouchesAndTheEdge) {
  const auto tag = MakeMpe("simple_tag", {{"num_predators", "2"}, {"num_prey", "2"}, {"num_obstacles", "0"}});
  // Both predators touch prey 0; prey 1 stands at the edge in one coordinate and beyond it in the other.
  Place(*tag, {{0, 0}, {0.1, 0}, {0.05, 0.05}, {0.95, -1.2}}, {});
  const std::vector<double> rewards = StepAll(*tag, kNone);
  EXPECT_NEAR(rewards[0], 20, 1e-9);
  EXPECT_NEAR(rewards[1], 20, 1e-9);
  EXPECT_NEAR(rewards[2], -20, 1e-9);
  EXPECT_NEAR(rewards[3], -0.5 - std::exp(0.4), 1e-9);
}

TEST(SimpleAdversaryTest, PaysBothSidesByTheirDistancesToTheGoal) {
  for (const bool original : {false, true}) {
    const auto adversary = MakeMpe("simple_adversary", {{"rewards", original ? "ORIGINAL" : "PETTINGZOO"}});
    Place(*adversary, {{0, 0.6}, {0.3, 0}, {1, 1}}, {{0.9, 0.9}, {0, 0}}, {1});
    const std::vector<double> rewards = StepAll(*adversary, kNone);
    EXPECT_NEAR(rewards[0], original ? -0.36 : -0.6, 1e-9);
    EXPECT_NEAR(rewards[1], 0.6 - 0.3, 1e-9);
    EXPECT_NEAR(rewards[2], 0.6 - 0.3, 1e-9);
  }
}

TEST(SimpleSpeakerListenerTest, IsHeardOneStepLaterAndPaidByTheSquare) {
  const auto environment = MakeMpe("simple_speaker_listener", {{"rewards", "ORIGINAL"}});
  Place(*environment, {{0, 0}, {0.5, 0}}, {{0, 0}, {1, 1}, {-1, 0}}, {2});
  EnvironmentBuffers buffers(environment->spec());
  buffers.Observe(*environment);
  const int speaker_numbers = 3, listener_begins = speaker_numbers + 3 + 1 + 1;  // mask, alive, reward
  // The third landmark is blue.
  std::vector<float> seen = buffers.Everything();
  EXPECT_EQ(std::vector<float>(seen.begin(), seen.begin() + speaker_numbers), (std::vector<float>{.15f, .15f, .65f}));
  EXPECT_EQ(std::vector<float>(seen.begin() + listener_begins + 8, seen.begin() + listener_begins + 11),
            (std::vector<float>{0, 0, 0}));
  const std::vector<double> rewards = StepAll(*environment, 1);  // the speaker says 1, the listener goes left
  EXPECT_NEAR(rewards[0], -2 * 1.5 * 1.5, 1e-9);
  EXPECT_EQ(rewards[0], rewards[1]);
  buffers.Observe(*environment);
  seen = buffers.Everything();
  EXPECT_EQ(std::vector<float>(seen.begin() + listener_begins + 8, seen.begin() + listener_begins + 11),
            (std::vector<float>{0, 1, 0}));
}

TEST(SimpleSpeakerListenerTest, WithoutWordsTheSpeakerMayOnlyStandAndNothingIsHeard) {
  const auto environment = MakeMpe("simple_speaker_listener", {{"channel", "NONE"}});
  ASSERT_EQ(environment->spec().groups.size(), 2);
  ASSERT_EQ(environment->spec().groups[1].observation_size, 2 + 6);
  Place(*environment, {{0, 0}, {0.5, 0}}, {{0, 0}, {1, 1}, {-1, 0}}, {2});
  EnvironmentBuffers buffers(environment->spec());
  buffers.Observe(*environment);
  const std::vector<float> seen = buffers.Everything();
  EXPECT_EQ(std::vector<float>(seen.begin(), seen.begin() + 3 + 5),
            (std::vector<float>{.15f, .15f, .65f, 1, 0, 0, 0, 0}));
  EXPECT_EQ(std::vector<float>(seen.begin() + 10, seen.begin() + 10 + 8 + 5),
            (std::vector<float>{0, 0, -0.5f, 0, 0.5f, 1, -1.5f, 0, 1, 1, 1, 1, 1}));
}

// The same episodes are worth the same to a rule that needs no words.
TEST(SimpleSpeakerListenerTest, RulesEarnTheSameWithoutWords) {
  for (const char* rule : {"say_and_go", "go_between"}) {
    std::vector<double> returns;
    for (const char* channel : {"WORDS", "NONE"}) {
      const auto environment = MakeMpe("simple_speaker_listener", {{"channel", channel}});
      returns.push_back(PlayMpe(*environment, MakeMpePlayer("simple_speaker_listener", rule).get(), 20)[0].mean);
    }
    EXPECT_EQ(returns[0], returns[1]) << rule;
    EXPECT_LT(returns[0], -1) << rule;
  }
}

TEST(SimpleReferenceTest, PaysEachForTheAgentItLeads) {
  const auto environment = MakeMpe("simple_reference", {{"local_ratio", "1"}});
  // Agent 0 leads agent 1 to landmark 1, 0.5 away; agent 1 leads agent 0 to landmark 0, 0.2 away.
  Place(*environment, {{0, 0}, {0.5, 0.5}}, {{0.2, 0}, {0.5, 0}, {1, 1}}, {1, 0});
  const std::vector<double> rewards = StepAll(*environment, kNone);
  EXPECT_NEAR(rewards[0], -0.5, 1e-9);
  EXPECT_NEAR(rewards[1], -0.2, 1e-9);
}

TEST(MpeEnvironmentTest, NamesJointActionsOfMovesAndWords) {
  const AgentGroupSpec group = MakeMpe("simple_reference")->spec().groups[0];
  ASSERT_EQ(group.action_size, 50);
  EXPECT_EQ(group.actions[0].name, "say_0_none");
  EXPECT_EQ(group.actions[5 * 7 + 3].name, "say_7_down");
  const AgentGroupSpec continuous = MakeMpe("simple_reference", {{"continuous_actions", "true"}})->spec().groups[0];
  ASSERT_EQ(continuous.action_size, 12);
  EXPECT_EQ(continuous.actions[2].name, "say_0");
  const AgentGroupSpec multi = MakeMpe("simple_reference", {{"actions", "MULTI_DISCRETE"}})->spec().groups[0];
  ASSERT_EQ(multi.action_size, 15);
  EXPECT_EQ(multi.action_sizes, (std::vector<int>{5, 10}));
  EXPECT_EQ(multi.actions[4].name, "up");
  EXPECT_EQ(multi.actions[5].name, "say_0");
}

// The same play, written in either kind of actions.
TEST(SimpleReferenceTest, TheRuleEarnsTheSameWithTwoIndices) {
  std::vector<double> returns;
  for (const std::string actions : {"DISCRETE", "MULTI_DISCRETE"}) {
    const auto environment = MakeMpe("simple_reference", {{"actions", actions}});
    const auto player = MakeMpePlayer("simple_reference", "say_and_go");
    returns.push_back(PlayMpe(*environment, player.get(), 20)[0].mean);
  }
  EXPECT_EQ(returns[0], returns[1]);
  EXPECT_LT(returns[0], -1);
}

TEST(MpeEnvironmentTest, StartsWithinTheSquareThatTheDynamicsSay) {
  for (const bool original : {false, true}) {
    const auto environment = MakeMpe("simple_spread", {{"dynamics", original ? "ORIGINAL" : "MPE2"}});
    double farthest_agent = 0, farthest_landmark = 0;
    for (uint64_t seed = 0; seed < 300; ++seed) {
      ASSERT_TRUE(environment->Reset(seed).ok());
      for (const Disc& disc : environment->world().agents) {
        farthest_agent = std::max(farthest_agent, std::abs(disc.position.x));
      }
      for (const Disc& disc : environment->world().landmarks) {
        farthest_landmark = std::max(farthest_landmark, std::abs(disc.position.y));
      }
    }
    EXPECT_GT(farthest_agent, 0.99);
    EXPECT_LE(farthest_agent, 1);
    EXPECT_GT(farthest_landmark, original ? 0.79 : 0.99);
    EXPECT_LE(farthest_landmark, original ? 0.8 : 1);
  }
}

TEST(MpeEnvironmentTest, AScriptedSideIsNoGroupAndPlaysItsRule) {
  const auto learnt = MakeMpe("simple_tag");
  const auto scripted = MakeMpe("simple_tag", {{"prey", "SCRIPTED"}});
  ASSERT_EQ(learnt->spec().groups.size(), 2);
  ASSERT_EQ(scripted->spec().groups.size(), 1);
  EXPECT_EQ(scripted->spec().groups[0].name, "predators");
  // Under the rule for both sides it does not matter who plays it.
  const auto rule = MakeMpePlayer("simple_tag", "chase_and_evade");
  const auto other_rule = MakeMpePlayer("simple_tag", "chase_and_evade");
  const auto by_rule = PlayMpe(*learnt, rule.get(), 20), half_scripted = PlayMpe(*scripted, other_rule.get(), 20);
  for (size_t role = 0; role < 2; ++role) EXPECT_EQ(by_rule[role].mean, half_scripted[role].mean);
  // Of the last episode, what no group is paid: the prey's return, behind the scenario's three statistics.
  EXPECT_EQ(scripted->spec().statistics.back(), "return_of_prey");
  PlayMpe(*scripted, other_rule.get(), 2);
  std::vector<double> statistics(4);
  scripted->EpisodeStatistics(absl::MakeSpan(statistics));
  const double of_two = PlayMpe(*scripted, other_rule.get(), 2)[1].mean;
  const double of_first = PlayMpe(*scripted, other_rule.get(), 1)[1].mean;
  EXPECT_NEAR(statistics[3], 2 * of_two - of_first, 1e-9);
}

TEST(MpeEnvironmentTest, RefusesWhatLeavesNobodyToLearn) {
  for (const auto& [scenario, first, second] :
       {std::tuple{"simple_tag", "predators", "prey"}, {"simple_adversary", "adversaries", "good_agents"}}) {
    const auto refused = (*FindEnvironment(scenario))->create({{first, "SCRIPTED"}, {second, "SCRIPTED"}});
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(refused.status().message().find(std::string("environment.settings.") + second), std::string::npos);
  }
}

TEST(MpeEnvironmentTest, SidesThatPlayAgainstEachOtherAreTeamsAndThoseThatHelpEachOtherOne) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(MakeMpe("simple_tag")->spec().teams(), (Names{"predators", "prey"}));
  EXPECT_EQ(MakeMpe("simple_adversary")->spec().teams(), (Names{"adversaries", "good_agents"}));
  ASSERT_EQ(MakeMpe("simple_speaker_listener")->spec().groups.size(), 2);
  EXPECT_EQ(MakeMpe("simple_speaker_listener")->spec().teams().size(), 1);
  EXPECT_EQ(MakeMpe("simple_tag", {{"prey", "SCRIPTED"}})->spec().teams().size(), 1);
}

TEST(MpeEnvironmentTest, RefusesALocalRatioWhereThereIsNone) {
  EXPECT_EQ((*FindEnvironment("simple_tag"))->create({{"local_ratio", "0.5"}}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace troupe
