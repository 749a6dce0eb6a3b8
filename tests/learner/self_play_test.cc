#include "learner/self_play/self_play.h"

#include <cmath>

#include "common/config/experiment_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/self_play/match_results.h"
#include "learner/self_play/opponent_pool.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

EnvironmentSpec TwoTeams() {
  EnvironmentSpec spec;
  spec.name = "duel";
  spec.groups = {{.name = "a", .agents = {"a0", "a1"}, .observation_size = 1, .action_size = 2, .team = "red"},
                 {.name = "b", .agents = {"b0"}, .observation_size = 1, .action_size = 2, .team = "blue"},
                 {.name = "c", .agents = {"c0"}, .observation_size = 1, .action_size = 2, .team = "red"}};
  return spec;
}

SelfPlaySettings Settings(const std::string& self_play) {
  const auto experiment = ParseExperiment(
      "name: 'e' total_env_steps: 1 environment { name: 'duel' } self_play { " + self_play + " }", "e", {});
  EXPECT_TRUE(experiment.ok()) << experiment.status();
  Experiment complete = *experiment;
  FillDefaults(&complete);
  return complete.self_play();
}

std::shared_ptr<const PolicySnapshot> Actors(uint64_t version) {
  auto actors = std::make_shared<PolicySnapshot>();
  actors->policy_version = version;
  const std::vector<float> values = {static_cast<float>(version), 0.5f};
  actors->tensors = {HostTensor::Float32("a/output.bias", {1, 2}, values.data()),
                     HostTensor::Float32("b/output.bias", {1, 2}, values.data())};
  actors->scalars = {{"noise_scale", 1.0 / static_cast<double>(version + 1)}};
  return actors;
}

std::vector<uint64_t> Versions(const SelfPlayState& state) {
  std::vector<uint64_t> versions;
  for (const SavedVersion& saved : state.pool) versions.push_back(saved.actors->policy_version);
  return versions;
}

EpisodeSummary Match(uint64_t saved_version, uint32_t team, float a, float b, float c) {
  EpisodeSummary episode;
  episode.group_returns = {a, b, c};
  episode.match = PlayedMatch{saved_version, team};
  return episode;
}

TEST(OpponentPoolTest, TheNewestStayAndThereAreNoMoreThanThePoolHolds) {
  const SelfPlaySettings settings = Settings("save_interval_updates: 1 pool_size: 3");
  SelfPlayState state;
  for (uint64_t version = 1; version <= 5; ++version) SaveVersion(settings, 7, 2, Actors(version), &state);
  EXPECT_THAT(Versions(state), ElementsAre(3, 4, 5));
  EXPECT_EQ(state.saved, 5);
}

// Reservoir sampling: each of n versions is in a pool of k with the probability k / n. Over 2,000 seeds the share of
// each is within 5 standard deviations, √(¼ · ¾ / 2000) each, of 5 / 20.
TEST(OpponentPoolTest, AnyVersionIsAsLikelyToStay) {
  const SelfPlaySettings settings = Settings("save_interval_updates: 1 pool_size: 5 stay: ANY_STAY");
  constexpr int kSeeds = 2000, kVersions = 20;
  std::vector<int> there(kVersions, 0);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SelfPlayState state;
    for (uint64_t version = 0; version < kVersions; ++version) SaveVersion(settings, seed, 1, Actors(version), &state);
    ASSERT_EQ(state.pool.size(), 5);
    const std::vector<uint64_t> versions = Versions(state);
    EXPECT_TRUE(std::ranges::is_sorted(versions));
    for (const uint64_t version : versions) ++there[version];
  }
  for (const int count : there) EXPECT_NEAR(static_cast<double>(count) / kSeeds, 0.25, 5 * std::sqrt(0.1875 / kSeeds));
}

TEST(OpponentPoolTest, WeightsAreThoseOfPrioritizedFictitiousSelfPlay) {
  const SelfPlaySettings hardest = Settings("opponents: HARDEST"), even = Settings("opponents: EVEN");
  EXPECT_DOUBLE_EQ(OpponentWeight(hardest, 0.75), 0.0625);
  EXPECT_DOUBLE_EQ(OpponentWeight(Settings("opponents: HARDEST priority_exponent: 1"), 0.75), 0.25);
  EXPECT_DOUBLE_EQ(OpponentWeight(even, 0.75), 0.1875);
  EXPECT_DOUBLE_EQ(OpponentWeight(Settings(""), 0.75), 1);
  // Nobody has played: as if one had been a draw.
  EXPECT_DOUBLE_EQ(WinRate({}), 0.5);
  EXPECT_DOUBLE_EQ(WinRate({.matches = 3, .won = 3}), 3.5 / 4);
}

TEST(OpponentPoolTest, TeamsThatDoNotLearnMeetNobody) {
  const SelfPlaySettings settings = Settings("save_interval_updates: 1 newest_probability: 0.25 opponents: EVEN");
  SelfPlayState state;
  EXPECT_EQ(MakeRoster(settings, {1, 1}, state), nullptr);
  SaveVersion(settings, 1, 2, Actors(6), &state);
  state.pool[0].records[1] = {.matches = 3, .won = 0.5};
  const auto roster = MakeRoster(settings, {0, 1}, state);
  EXPECT_EQ(roster->newest_probability, 0.25);
  ASSERT_EQ(roster->opponents.size(), 1);
  EXPECT_EQ(roster->opponents[0].actors->policy_version, 6);
  EXPECT_THAT(roster->opponents[0].weights, ElementsAre(0, 0.1875));
}

TEST(MatchResultsTest, ATeamHasWonWhenItsAgentsWerePaidMoreOnAverage) {
  // Red: (2 · 1 + 4) / 3 = 2; blue 1.
  EXPECT_EQ(ResultOf(TwoTeams(), Match(1, 0, 1, 1, 4), 0), 1);
  EXPECT_EQ(ResultOf(TwoTeams(), Match(1, 1, 1, 1, 4), 1), 0);
  EXPECT_EQ(ResultOf(TwoTeams(), Match(1, 0, 1, 2, 4), 0), 0.5);
}

TEST(MatchResultsTest, MatchesAreCountedForTheVersionAndTheTeamWhateverTheirOrder) {
  const SelfPlaySettings settings = Settings("save_interval_updates: 1");
  const std::vector<EpisodeSummary> episodes = {Match(1, 0, 1, 0, 1), Match(2, 1, 1, 0, 1), Match(2, 1, 0, 1, 0),
                                                Match(9, 0, 1, 0, 1), Match(2, 1, 1, 1, 1), EpisodeSummary{{1, 1, 1}}};
  SelfPlayState state;
  for (const uint64_t version : {1, 2}) SaveVersion(settings, 1, 2, Actors(version), &state);
  SelfPlayState other = state;
  SingleRank alone;
  CountMatches(TwoTeams(), episodes, 100, &alone, &state);
  EXPECT_THAT(state.pool[0].records, ElementsAre(MatchRecord{1, 1}, MatchRecord{0, 0}));
  EXPECT_THAT(state.pool[1].records, ElementsAre(MatchRecord{0, 0}, MatchRecord{3, 1.5}));
  const std::vector<EpisodeSummary> reversed(episodes.rbegin(), episodes.rend());
  CountMatches(TwoTeams(), reversed, 100, &alone, &other);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(other.pool[i].records, state.pool[i].records);
  // Two are remembered of three.
  CountMatches(TwoTeams(), {}, 2, &alone, &state);
  EXPECT_THAT(state.pool[1].records, ElementsAre(MatchRecord{0, 0}, MatchRecord{2, 1}));
}

Checkpoint Start(const std::string& self_play) {
  Checkpoint start;
  start.run_id = "id";
  start.experiment = *ParseExperiment(
      "name: 'e' total_env_steps: 1 environment { name: 'duel' } self_play { " + self_play + " }", "e", {});
  FillDefaults(&start.experiment);
  start.environment = TwoTeams();
  start.self_play = FirstPool(start.experiment);
  return start;
}

TEST(SelfPlayTest, VersionsAreSavedWithoutTheirRostersAndRideOnTheNext) {
  const Checkpoint start = Start("save_interval_updates: 2 pool_size: 2 learning_team: 'blue'");
  SelfPlay self_play(start);
  ASSERT_TRUE(self_play.is_on());
  SingleRank alone;
  for (uint64_t version = 1; version <= 6; ++version) {
    PolicySnapshot actors = *Actors(version);
    actors.roster = self_play.roster();
    self_play.Advance(actors, {}, &alone);
  }
  EXPECT_THAT(Versions(*self_play.state()), ElementsAre(4, 6));
  const auto roster = self_play.roster();
  for (const Roster::Opponent& opponent : roster->opponents) {
    EXPECT_EQ(opponent.actors->roster, nullptr);
    EXPECT_THAT(opponent.weights, ElementsAre(0, 1));
  }
  self_play.Advance(*Actors(7), std::vector<EpisodeSummary>{Match(4, 1, 0, 1, 0), Match(4, 1, 0, 1, 0)}, &alone);
  EXPECT_THAT(self_play.figures(), ElementsAre(std::pair<std::string, double>("self_play_pool", 2),
                                               std::pair<std::string, double>("self_play_win_rate", 1)));
  EXPECT_FALSE(SelfPlay(Start("")).is_on());
  EXPECT_EQ(SelfPlay(Start("")).roster(), nullptr);
}

TEST(SelfPlayTest, ACheckpointHoldsThePoolBitForBit) {
  Checkpoint checkpoint = Start("save_interval_updates: 1 pool_size: 2");
  SelfPlay self_play(checkpoint);
  SingleRank alone;
  for (const uint64_t version : {1, 2, 10}) {
    self_play.Advance(*Actors(version), std::vector<EpisodeSummary>{Match(2, 0, 1, 0, 1)}, &alone);
  }
  checkpoint.self_play = self_play.state();
  const absl::StatusOr<Checkpoint> read = DecodeCheckpoint(EncodeCheckpoint(checkpoint));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_TRUE(read->self_play.has_value());
  EXPECT_EQ(read->self_play->saved, 3);
  EXPECT_THAT(Versions(*read->self_play), ElementsAre(2, 10));
  for (size_t i = 0; i < 2; ++i) {
    const SavedVersion &expected = self_play.state()->pool[i], &actual = read->self_play->pool[i];
    EXPECT_EQ(actual.records, expected.records);
    EXPECT_EQ(actual.actors->scalars, expected.actors->scalars);
    ASSERT_EQ(actual.actors->tensors.size(), 2);
    for (size_t t = 0; t < 2; ++t) {
      EXPECT_EQ(actual.actors->tensors[t].name, expected.actors->tensors[t].name);
      EXPECT_EQ(actual.actors->tensors[t].bytes, expected.actors->tensors[t].bytes);
    }
  }
  EXPECT_EQ(read->self_play->pool[0].records[0], (MatchRecord{1, 1}));
}

TEST(SelfPlayTest, ACheckpointWhosePoolIsDamagedIsRefused) {
  Checkpoint checkpoint = Start("save_interval_updates: 1");
  SelfPlay self_play(checkpoint);
  SingleRank alone;
  self_play.Advance(*Actors(3), {}, &alone);
  checkpoint.self_play = self_play.state();
  const auto refusal = [&](const std::string& entry, const std::string& value) {
    SafetensorsFile file = EncodeCheckpoint(checkpoint);
    EXPECT_TRUE(file.metadata.contains(entry));
    file.metadata[entry] = value;
    return std::string(DecodeCheckpoint(std::move(file)).status().message());
  };
  EXPECT_THAT(refusal("self_play.saved", "x"), HasSubstr("metadata self_play.saved: \"x\""));
  EXPECT_THAT(refusal("self_play.pool", "4"), HasSubstr("metadata entry \"self_play.records.4\" is missing"));
  EXPECT_THAT(refusal("self_play.pool", "3,3"), HasSubstr("metadata self_play.pool: \"3,3\""));
  EXPECT_THAT(refusal("self_play.records.3", "1,2;0,0"), HasSubstr("metadata self_play.records.3: \"1,2;0,0\""));
  EXPECT_THAT(refusal("self_play.records.3", "1,0"), HasSubstr("metadata self_play.records.3: \"1,0\""));
}

}  // namespace
}  // namespace troupe
