#include <algorithm>

#include "absl/strings/str_cat.h"
#include "actor_worker/acting/fit_policies.h"
#include "actor_worker/acting/group_actor.h"
#include "actor_worker/acting/own_actor.h"
#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "actor_worker/evaluation/watched_episode.h"
#include "common/config/experiment_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/inference_reference.h"
#include "tests/actor_worker/scripted_environment.h"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Actors for the scripted environment, with weights of their own.
struct Actors {
  std::vector<PolicySpec> policies;
  PolicySnapshot weights;
};

Actors MakeActors() {
  Actors actors;
  PolicySpec pair = WithAgentId(MakeTestSpec(2, 3, 3, {16}, {0, 0}));
  pair.group = "pair";
  PolicySpec single = MakeTestSpec(1, 2, 3, {8, 8}, {0});
  single.group = "single";
  actors.policies = {pair, single};
  for (const PolicySpec& spec : actors.policies) {
    for (HostTensor& tensor : RandomWeights(spec, 4)) actors.weights.tensors.push_back(std::move(tensor));
  }
  return actors;
}

Player ActorPlayerOf(const Actors& actors, bool sample) {
  return {.name = "actors",
          .policy = {.policies = &actors.policies, .weights = &actors.weights, .sample_actions = sample}};
}

void ExpectEqual(const std::vector<EpisodeResult>& a, const std::vector<EpisodeResult>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].seed, b[i].seed);
    EXPECT_EQ(a[i].length, b[i].length);
    EXPECT_EQ(a[i].group_returns, b[i].group_returns);
    EXPECT_EQ(a[i].statistics, b[i].statistics);
  }
}

TEST(RunEpisodesTest, PlaysEverySeedToItsEnd) {
  const EnvironmentEntry entry = ScriptedEntry();
  const EpisodePlan plan{.environment = &entry, .settings = {{"length", "0"}}, .first_seed = 30, .episodes = 11};
  const Player one{.name = "always_one", .make_controller = [] { return std::make_unique<AlwaysOneController>(); }};
  const auto results = RunEpisodes(plan, one);
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 11);
  for (int i = 0; i < 11; ++i) {
    const EpisodeResult& episode = (*results)[i];
    EXPECT_EQ(episode.seed, 30 + i);
    EXPECT_EQ(episode.length, 2 + (30 + i) % 3);
    EXPECT_THAT(episode.group_returns, ElementsAre(1.125 * episode.length, episode.length));
    EXPECT_THAT(episode.statistics, ElementsAre(episode.length, 3 * episode.length));
  }
}

TEST(RunEpisodesTest, ResultsDependNeitherOnThreadsNorOnTheEpisodesPlayedBeside) {
  const EnvironmentEntry entry = ScriptedEntry();
  const Actors actors = MakeActors();
  for (const Player& player : {ActorPlayerOf(actors, false), ActorPlayerOf(actors, true), Player{.name = "random"}}) {
    EpisodePlan plan{.environment = &entry, .settings = {{"length", "0"}}, .first_seed = 1000000, .episodes = 23};
    const auto alone = RunEpisodes(plan, player);
    plan.threads = 4;
    const auto threads = RunEpisodes(plan, player);
    ASSERT_TRUE(alone.ok() && threads.ok()) << alone.status();
    ExpectEqual(*alone, *threads);
    plan.first_seed += 5;
    plan.episodes = 3;
    const auto few = RunEpisodes(plan, player);
    ASSERT_TRUE(few.ok());
    ExpectEqual({alone->begin() + 5, alone->begin() + 8}, *few);
  }
}

TEST(RunEpisodesTest, SamplingDiffersFromGreedyPlay) {
  const EnvironmentEntry entry = ScriptedEntry();
  const Actors actors = MakeActors();
  const EpisodePlan plan{.environment = &entry, .settings = {{"length", "30"}}, .first_seed = 1, .episodes = 4};
  EXPECT_NE(RunEpisodes(plan, ActorPlayerOf(actors, false))->front().statistics,
            RunEpisodes(plan, ActorPlayerOf(actors, true))->front().statistics);
}

TEST(RunEpisodesTest, ErrorsNamePlayerSeedAndStep) {
  const EnvironmentEntry entry = ScriptedEntry();
  for (const auto& [fault, message] : {std::pair{"observation", "observation of group pair is nan"},
                                       {"error", "simulator is gone"},
                                       {"throw", "simulator fell over"},
                                       {"reward", "reward of group pair is inf"}}) {
    const EpisodePlan plan{
        .environment = &entry, .settings = {{"fault", fault}}, .first_seed = 9, .episodes = 5, .threads = 2};
    const auto results = RunEpisodes(plan, {.name = "random"});
    ASSERT_FALSE(results.ok());
    EXPECT_THAT(std::string(results.status().message()), HasSubstr(message));
    EXPECT_THAT(std::string(results.status().message()), HasSubstr("random"));
  }
}

TEST(RunEpisodesTest, StopsWhenCancelled) {
  const EnvironmentEntry entry = ScriptedEntry();
  const EpisodePlan plan{
      .environment = &entry, .settings = {{"length", "1000"}}, .episodes = 50, .cancelled = [] { return true; }};
  EXPECT_EQ(RunEpisodes(plan, {.name = "random"}).status().code(), absl::StatusCode::kCancelled);
}

TEST(RunEpisodesTest, RefusesActorsThatDoNotFitTheEnvironment) {
  const EnvironmentEntry entry = ScriptedEntry();
  const EpisodePlan plan{.environment = &entry};
  Actors actors = MakeActors();
  actors.policies[1].observation_size = 5;
  EXPECT_THAT(std::string(RunEpisodes(plan, ActorPlayerOf(actors, false)).status().message()),
              HasSubstr("the actors of group \"single\" do not fit scripted: observed numbers 5, here 2"));
  actors.policies.pop_back();
  EXPECT_THAT(std::string(RunEpisodes(plan, ActorPlayerOf(actors, false)).status().message()),
              HasSubstr("group \"single\" of scripted has no actors: they are of \"pair\""));
}

TEST(FitPoliciesTest, OneNetworkWithoutAgentNumbersPlaysAnyNumberOfAgents) {
  EnvironmentSpec trained, larger;
  trained.name = larger.name = "map";
  trained.groups = {{.name = "junction", .agents = {"a", "b"}, .observation_size = 3, .action_size = 2}};
  larger.groups = {{.name = "junction", .agents = {"c", "d", "e"}, .observation_size = 3, .action_size = 2}};
  const auto fit = [&](const std::string& policy) {
    const auto experiment = ParseExperiment(
        absl::StrCat("name: 'x' total_env_steps: 1 environment { name: 'map' } policy { ", policy, " }"), "x", {});
    return FitPolicies(larger, MakePolicySpecs(*experiment, trained).value());
  };
  const auto fitted = fit("sharing: SHARED");
  ASSERT_TRUE(fitted.ok()) << fitted.status();
  EXPECT_EQ(fitted->at(0).num_agents, 3);
  EXPECT_THAT(fitted->at(0).set_of_agent, ElementsAre(0, 0, 0));
  EXPECT_TRUE(GroupActor::Create(fitted->at(0), 1).ok());
  EXPECT_THAT(std::string(fit("sharing: SHARED agent_id_input: true").status().message()),
              HasSubstr("agents 2, here 3 (the network takes the agent's number in its group)"));
  EXPECT_THAT(std::string(fit("sharing: PER_AGENT").status().message()),
              HasSubstr("agents 2, here 3 (there are 2 networks)"));
  larger.groups[0].action_size = 4;
  EXPECT_THAT(std::string(fit("sharing: PER_AGENT").status().message()),
              HasSubstr("(there are 2 networks); actions 2, here 4"));
}

TEST(FitPoliciesTest, DimensionsAndBoundsOfActionsMustBeThoseOfTraining) {
  EnvironmentSpec here;
  here.name = "map";
  here.groups = {{"builders", {"a"}, 3, ActionKind::kMultiDiscrete, 5},
                 {"pilots", {"b"}, 3, ActionKind::kContinuous, 1}};
  here.groups[0].action_sizes = {2, 3};
  here.groups[1].action_bounds = {{-2, 2}};
  const auto experiment = ParseExperiment("name: 'x' total_env_steps: 1 environment { name: 'map' }", "x", {});
  std::vector<PolicySpec> policies = MakePolicySpecs(*experiment, here).value();
  EXPECT_EQ(FitPolicies(here, policies).value(), policies);
  // Actors of before environments told their bounds act in those of the environment that they are in.
  policies[1].action_bounds.clear();
  EXPECT_EQ(FitPolicies(here, policies)->at(1).action_bounds, here.groups[1].action_bounds);
  policies[1].action_bounds = {{0, 2}};
  EXPECT_THAT(std::string(FitPolicies(here, policies).status().message()),
              HasSubstr("the actors of group \"pilots\" do not fit map: bounds [0, 2], here [-2, 2]"));
  policies[0].action_sizes = {3, 2};
  EXPECT_THAT(std::string(FitPolicies(here, policies).status().message()),
              HasSubstr("choices of each dimension 3 × 2, here 2 × 3"));
}

TEST(BaselinePlayersTest, RandomComesFirst) {
  const std::vector<Player> players = BaselinePlayers(ScriptedEntry(), {});
  ASSERT_EQ(players.size(), 2);
  EXPECT_EQ(players[0].name, "random");
  EXPECT_EQ(players[1].name, "always_one");
}

TEST(DecentralisedChooserTest, EveryAgentByItselfPlaysTheSameEpisodeAsTheTeamInABatch) {
  const EnvironmentEntry entry = ScriptedEntry();
  const Actors actors = MakeActors();
  for (const bool sample : {false, true}) {
    const Player player = ActorPlayerOf(actors, sample);
    const EpisodePlan plan{.environment = &entry, .settings = {{"length", "60"}}, .first_seed = 77, .episodes = 6};
    const auto together = RunEpisodes(plan, player);
    ASSERT_TRUE(together.ok());
    for (const EpisodeResult& expected : *together) {
      const auto environment = *entry.create(plan.settings);
      const auto chooser = *MakeDecentralisedChooser(environment->spec(), player.policy, expected.seed);
      int looks = 0;
      Watch watch{.seed = expected.seed};
      watch.look = [&](const Environment&, const EpisodeBuffers::Copy&, const EpisodeResult&, bool) { ++looks; };
      const auto alone = PlayWatched(*environment, *chooser, watch);
      ASSERT_TRUE(alone.ok());
      ExpectEqual({expected}, {*alone});
      EXPECT_EQ(looks, 61);
    }
  }
}

TEST(PlayWatchedTest, StopsAfterMaxSteps) {
  const auto environment = *ScriptedEntry().create({{"length", "60"}});
  const auto chooser = MakeBaselineChooser(environment->spec(), {.name = "random"}, 3);
  Watch watch{.seed = 3, .max_steps = 10};
  watch.look = [](const Environment&, const EpisodeBuffers::Copy&, const EpisodeResult&, bool over) {
    EXPECT_FALSE(over);
  };
  const auto result = PlayWatched(*environment, *chooser, watch);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->length, 10);
}

TEST(OwnActorTest, ChoosesWhatTheGroupsInferenceChoosesForEverySpec) {
  for (const std::vector<int>& sets : {std::vector<int>{0, 0, 0}, {0, 1, 2}, {1, 0, 1}}) {
    for (const bool agent_id : {false, true}) {
      for (const bool norm : {false, true}) {
        PolicySpec spec = MakeTestSpec(3, 5, 4, {24, 12}, sets);
        if (agent_id) spec = WithAgentId(spec);
        spec.stack.input_layer_norm = spec.stack.hidden_layer_norm = norm;
        const PolicySnapshot weights{1, RandomWeights(spec, 8)};
        auto group = *GroupActor::Create(spec, 1);
        ASSERT_TRUE(group->SetSnapshot(weights).ok());
        std::vector<std::unique_ptr<OwnActor>> own;
        for (int a = 0; a < 3; ++a) own.push_back(*OwnActor::Create(spec, weights, a));
        RandomStream random(5);
        for (int i = 0; i < 200; ++i) {
          std::vector<float> observations(15), uniforms(3), log_probabilities(3);
          for (float& value : observations) value = float(random.Normal());
          for (float& value : uniforms) value = random.Uniform();
          std::vector<int32_t> actions(3);
          group->Act(observations, {}, uniforms, {},
                     {.discrete = absl::MakeSpan(actions), .log_probabilities = absl::MakeSpan(log_probabilities)});
          for (int a = 0; a < 3; ++a) {
            const absl::Span<const float> draw = absl::MakeConstSpan(uniforms).subspan(a, 1);
            ASSERT_EQ(own[a]->Act(absl::MakeConstSpan(observations).subspan(a * 5, 5), {}, draw).discrete[0],
                      actions[a]);
          }
        }
      }
    }
  }
}

TEST(OwnActorTest, RefusesAnIndexOutsideTheGroup) {
  const Actors actors = MakeActors();
  EXPECT_EQ(OwnActor::Create(actors.policies[0], actors.weights, 2).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(OwnActor::Create(actors.policies[0], actors.weights, -1).status().code(), absl::StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace troupe
