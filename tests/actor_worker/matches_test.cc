#include "actor_worker/rollout/matches.h"

#include <cmath>
#include <map>

#include "actor_worker/rollout/shard_rollout.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/worker_fixture.h"

namespace troupe {
namespace {

using ::testing::Each;

EnvironmentSpec TwoTeams() { return TinyEnvironment(/*teams=*/true).spec(); }

std::shared_ptr<const Roster> RosterOf(double newest_probability,
                                       const std::vector<std::pair<uint64_t, std::vector<double>>>& opponents) {
  auto roster = std::make_shared<Roster>();
  roster->newest_probability = newest_probability;
  for (const auto& [version, weights] : opponents) {
    auto actors = std::make_shared<PolicySnapshot>();
    actors->policy_version = version;
    roster->opponents.push_back({std::move(actors), weights});
  }
  return roster;
}

// (saved version, learning team) of the copy's next episode; (0, 0): the newest play both.
std::pair<uint64_t, uint32_t> Next(Matches& matches, int copy, const Roster* roster) {
  matches.Begin(copy, roster);
  wire::FinishedEpisode episode;
  matches.Describe(copy, &episode);
  return {episode.saved_version(), episode.learning_team()};
}

// 8,000 draws: shares within 5 standard deviations of what the roster says.
TEST(MatchesTest, OpponentsAreMetAsOftenAsTheRosterSays) {
  const auto roster = RosterOf(0.4, {{10, {1, 0}}, {20, {3, 2}}});
  Matches matches(TwoTeams(), 2, {.run_seed = 3});
  std::map<std::pair<uint64_t, uint32_t>, double> shares;
  constexpr int kDraws = 8000;
  for (int i = 0; i < kDraws; ++i) shares[Next(matches, i % 2, roster.get())] += 1.0 / kDraws;
  const auto expect = [&](uint64_t version, uint32_t team, double probability) {
    const double deviation = std::sqrt(probability * (1 - probability) / kDraws);
    EXPECT_NEAR((shares[{version, team}]), probability, 5 * deviation) << version << " " << team;
  };
  expect(0, 0, 0.4);
  expect(10, 0, 0.6 * 0.5 * 0.25);
  expect(20, 0, 0.6 * 0.5 * 0.75);
  expect(20, 1, 0.6 * 0.5);
  EXPECT_EQ(shares.size(), 4);
}

TEST(MatchesTest, AMatchFollowsFromTheCopysNumbersAlone) {
  const auto roster = RosterOf(0.3, {{1, {1, 1}}, {2, {1, 1}}, {3, {1, 1}}});
  const auto draws = [&](const Matches::Source& source, bool copies_in_turn) {
    Matches matches(TwoTeams(), 2, source);
    std::map<std::pair<int, int>, std::pair<uint64_t, uint32_t>> drawn;
    for (int i = 0; i < 40; ++i) {
      const int copy = copies_in_turn ? i % 2 : i / 20, number = copies_in_turn ? i / 2 : i % 20;
      drawn[{copy, number}] = Next(matches, copy, roster.get());
    }
    return drawn;
  };
  const auto first = draws({.run_seed = 1, .shard = 2, .lease_epoch = 3}, true);
  EXPECT_EQ(draws({.run_seed = 1, .shard = 2, .lease_epoch = 3}, false), first);
  EXPECT_NE(draws({.run_seed = 2, .shard = 2, .lease_epoch = 3}, true), first);
  EXPECT_NE(draws({.run_seed = 1, .shard = 3, .lease_epoch = 3}, true), first);
  EXPECT_NE(draws({.run_seed = 1, .shard = 2, .lease_epoch = 4}, true), first);
}

TEST(MatchesTest, AnOpponentPlaysItsEpisodeToTheEndWhateverLeavesThePool) {
  Matches matches(TwoTeams(), 3, {});
  matches.Begin(0, nullptr);
  auto roster = RosterOf(0, {{5, {0, 1}}});
  matches.Begin(1, roster.get());
  roster = RosterOf(0, {{6, {1, 0}}});
  matches.Begin(2, roster.get());
  roster = nullptr;
  const absl::Span<const Seat> seats = matches.seats();
  ASSERT_EQ(seats.size(), 2);
  EXPECT_EQ(seats[0].actors->policy_version, 5);
  EXPECT_EQ(seats[0].group, 0);
  EXPECT_EQ(seats[0].copy, 1);
  EXPECT_EQ(seats[1].actors->policy_version, 6);
  EXPECT_EQ(seats[1].group, 1);
  std::vector<uint8_t> learns(3 * 2);
  matches.WriteLearns(0, absl::MakeSpan(learns));
  EXPECT_EQ(learns, (std::vector<uint8_t>{1, 1, 0, 0, 1, 1}));
  matches.Begin(1, nullptr);
  EXPECT_EQ(matches.seats().size(), 1);
}

// Two teams of recurrent actors; what they remember is recorded at every step.
class SelfPlayRolloutTest : public ::testing::Test {
 protected:
  SelfPlayRolloutTest() {
    TinyFaults::Get().Reset();
    Experiment experiment = TinyExperiment();
    experiment.mutable_policy()->set_recurrent_cell(GRU);
    experiment.mutable_policy()->set_recurrent_size(4);
    experiment.mutable_collection()->set_sequence_length(1);
    experiment.mutable_collection()->set_rollout_length(30);
    experiment.mutable_self_play()->set_save_interval_updates(1);
    plan_.experiment = experiment;
    plan_.environment = &TinyEntry();
    plan_.settings = {{"teams", "true"}};
    plan_.spec = TwoTeams();
    plan_.policies = MakePolicySpecs(experiment, plan_.spec).value();
  }

  wire::Chunk Collect(std::shared_ptr<const Roster> roster) {
    auto lease = std::make_shared<HeldLease>();
    lease->lease_epoch = 1;
    const auto rollout = ShardRollout::Create(plan_, lease).value();
    const auto team = ActorTeam::Create(plan_.policies, plan_.chunk_shape().copies).value();
    auto weights = std::make_shared<PolicySnapshot>(*newest_);
    weights->roster = std::move(roster);
    EXPECT_TRUE(team->Apply(weights).ok());
    RolloutProgress progress;
    wire::Chunk chunk;
    const absl::Status status = rollout->Collect(0, *weights, *team, progress, &chunk);
    EXPECT_TRUE(status.ok()) << status;
    return chunk;
  }

  // In how many steps of the copy that no episode ends at the group's memory moved on as `actors` move it.
  int StepsBy(const ChunkView& view, int group, int copy, const PolicySnapshot& actors) {
    const PolicySpec& policy = plan_.policies[group];
    const auto actor = GroupActor::Create(policy, 1).value();
    EXPECT_TRUE(actor->SetSnapshot(actors).ok());
    const size_t A = policy.num_agents, H = A * actor->state_size(), O = A * policy.observation_size,
                 N = A * policy.action_size, E = plan_.chunk_shape().copies;
    std::vector<int32_t> chosen(A);
    std::vector<float> log_probabilities(A);
    int steps = 0;
    for (size_t t = 0; t + 1 < static_cast<size_t>(plan_.chunk_shape().rollout_length); ++t) {
      const size_t cell = t * E + copy;
      if (view.terminated[cell] != 0 || view.truncated[cell] != 0) continue;
      const auto& rows = view.groups[group];
      const auto before = rows.network_states.subspan(cell * H, H),
                 after = rows.network_states.subspan((cell + E) * H, H);
      std::vector<float> state(before.begin(), before.end());
      actor->Act(rows.observations.subspan(cell * O, O), rows.action_masks.subspan(cell * N, N), {},
                 absl::MakeSpan(state),
                 {.discrete = absl::MakeSpan(chosen), .log_probabilities = absl::MakeSpan(log_probabilities)},
                 rows.alive.subspan(cell * A, A));
      steps += std::equal(state.begin(), state.end(), after.begin());
    }
    return steps;
  }
  int StepsThatGoOn(const ChunkView& view, int copy) const {
    int steps = 0;
    const int E = plan_.chunk_shape().copies;
    for (int t = 0; t + 1 < plan_.chunk_shape().rollout_length; ++t) {
      steps += view.terminated[t * E + copy] == 0 && view.truncated[t * E + copy] == 0;
    }
    return steps;
  }

  RolloutPlan plan_{};
  std::shared_ptr<const PolicySnapshot> newest_, saved_;
};

TEST_F(SelfPlayRolloutTest, SavedActorsPlayTheTeamsThatDoNotLearn) {
  newest_ = WeightsOf(plan_, 5);
  saved_ = WeightsOf(plan_, 2);
  auto roster = std::make_shared<Roster>();
  roster->newest_probability = 0;
  roster->opponents = {{saved_, {0, 1}}};
  const wire::Chunk chunk = Collect(roster);
  const auto view = ViewChunk(plan_.spec, plan_.chunk_shape(), chunk);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_THAT(view->groups[0].learns, Each(0));
  EXPECT_THAT(view->groups[1].learns, Each(1));
  ASSERT_GT(chunk.episodes_size(), 0);
  for (const wire::FinishedEpisode& episode : chunk.episodes()) {
    EXPECT_EQ(episode.saved_version(), 2);
    EXPECT_EQ(episode.learning_team(), 1);
  }
  for (int copy = 0; copy < plan_.chunk_shape().copies; ++copy) {
    const int steps = StepsThatGoOn(*view, copy);
    ASSERT_GT(steps, 15);
    EXPECT_EQ(StepsBy(*view, 0, copy, *saved_), steps);
    EXPECT_EQ(StepsBy(*view, 1, copy, *newest_), steps);
    EXPECT_LT(StepsBy(*view, 0, copy, *newest_), steps);
  }
}

TEST_F(SelfPlayRolloutTest, WithoutOpponentsTheNewestPlayAndAllLearn) {
  newest_ = WeightsOf(plan_, 5);
  saved_ = WeightsOf(plan_, 2);
  auto roster = std::make_shared<Roster>();
  roster->opponents = {{saved_, {1, 1}}};  // newest_probability 1
  const wire::Chunk nobody = Collect(nullptr), newest = Collect(roster);
  EXPECT_EQ(Contents(nobody), Contents(newest));
  const auto view = ViewChunk(plan_.spec, plan_.chunk_shape(), nobody);
  ASSERT_TRUE(view.ok()) << view.status();
  for (int g = 0; g < 2; ++g) EXPECT_THAT(view->groups[g].learns, Each(1));
  for (const wire::FinishedEpisode& episode : nobody.episodes()) EXPECT_FALSE(episode.has_saved_version());
}

TEST_F(SelfPlayRolloutTest, SavedActorsThatDoNotFitFailTheShardInWords) {
  newest_ = WeightsOf(plan_, 5);
  auto broken = std::make_shared<PolicySnapshot>(*WeightsOf(plan_, 2));
  broken->tensors.pop_back();
  SavedActors actors(plan_.policies, plan_.chunk_shape().copies, MakeNetwork);
  RecurrentState state = ActorTeam::Create(plan_.policies, plan_.chunk_shape().copies).value()->NewState();
  const Seat seat{broken, 1, 0};
  actors.KeepStates({&seat, 1}, state);
  const absl::Status status = actors.Act(seat, 0, {}, {}, state, {});
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("scout"));
}

}  // namespace
}  // namespace troupe
