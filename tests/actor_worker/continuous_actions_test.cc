// Continuous actions and recurrent networks from end to end in the worker: rollouts, evaluation, `act` and replay.
#include <sstream>

#include "actor_worker/environments/action_text.h"
#include "actor_worker/evaluation/act_protocol.h"
#include "actor_worker/evaluation/watched_episode.h"
#include "actor_worker/rollout/shard_rollout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/leaky_network.h"
#include "tests/actor_worker/reference_distribution.h"
#include "tests/actor_worker/steered_environment.h"
#include "tests/actor_worker/worker_fixture.h"

namespace troupe {
namespace {

constexpr double kEpsilon = 0.25;

// The pilots' Gaussian as the settings say; the deck explores.
RolloutPlan SteeredPlan(ActionDistribution pilots, bool state_dependent_std) {
  Experiment experiment = TinyExperiment();
  experiment.mutable_environment()->set_name("steered");
  PolicySettings& own = (*experiment.mutable_group_policies())["pilots"];
  own.set_distribution(pilots);
  own.set_state_dependent_std(state_dependent_std);
  own.set_sharing(PER_AGENT);
  (*experiment.mutable_group_policies())["deck"].set_distribution(EPSILON_GREEDY);
  FillDefaults(&experiment);
  // By hand: no algorithm's card allows both yet.
  RolloutPlan plan{.experiment = experiment, .environment = &SteeredEntry(), .spec = SteeredEnvironment().spec()};
  plan.policies = MakePolicySpecs(experiment, plan.spec).value();
  return plan;
}

PolicySnapshot SnapshotOf(const RolloutPlan& plan, uint64_t version) {
  PolicySnapshot snapshot{version, {}, {{"epsilon", kEpsilon}}};
  for (const PolicySpec& policy : plan.policies) {
    for (HostTensor& tensor : RandomWeights(policy, MixKey({version, 5})))
      snapshot.tensors.push_back(std::move(tensor));
  }
  return snapshot;
}

struct Kinds {
  std::string name;
  ActionDistribution distribution;
  bool state_dependent_std;
  NetworkFactory make_network;
};

class ContinuousActions : public testing::TestWithParam<Kinds> {
 protected:
  std::unique_ptr<ActorTeam> Team() const {
    return ActorTeam::Create(plan_.policies, plan_.chunk_shape().copies, GetParam().make_network).value();
  }
  std::unique_ptr<ShardRollout> Begin(uint32_t shard) const {
    auto lease = std::make_shared<HeldLease>();
    lease->shard = shard;
    lease->lease_epoch = 1;
    return ShardRollout::Create(plan_, lease).value();
  }
  wire::Chunk Collect(ShardRollout& rollout, ActorTeam& team, uint64_t version) {
    const auto weights = std::make_shared<PolicySnapshot>(SnapshotOf(plan_, version));
    EXPECT_TRUE(team.Apply(weights).ok());
    wire::Chunk chunk;
    const absl::Status status = rollout.Collect(version, *weights, team, progress_, &chunk);
    EXPECT_TRUE(status.ok()) << status;
    return chunk;
  }
  bool squashed() const { return GetParam().distribution == SQUASHED_GAUSSIAN; }
  Player Actors(const PolicySnapshot& snapshot, bool sample) const {
    return {.name = "actors",
            .policy = {.policies = &plan_.policies,
                       .weights = &snapshot,
                       .sample_actions = sample,
                       .make_network = GetParam().make_network}};
  }

  const RolloutPlan plan_ = SteeredPlan(GetParam().distribution, GetParam().state_dependent_std);
  RolloutProgress progress_;
};

// Follows a shard's chunks row by row: what the environment did with an action stands in the next row; the
// log-probability is that of what the agent remembers, which begins anew where an episode ended and nowhere else.
TEST_P(ContinuousActions, ChunksRecordTheSampleAndTheEnvironmentIsGivenItsImage) {
  const auto team = Team();
  const auto rollout = Begin(0);
  const int E = plan_.chunk_shape().copies, T = plan_.chunk_shape().rollout_length;
  const bool recurrent = GetParam().make_network == MakeLeakyNetwork;
  const PolicySpec& pilots = plan_.policies[0];
  std::vector<float> remembered(size_t(E) * 2 * 4);
  int beyond = 0, explored = 0, ends = 0;
  for (uint64_t version = 0; version < 8; ++version) {
    const wire::Chunk chunk = Collect(*rollout, *team, version);
    const ChunkView view = ViewChunk(plan_.spec, plan_.chunk_shape(), chunk).value();
    const PolicySnapshot snapshot = SnapshotOf(plan_, version);
    const auto tensors = TensorsOfGroup(snapshot, pilots).value();
    const std::vector<HostTensor> own(tensors.begin(), tensors.end());
    EXPECT_TRUE(view.groups[0].discrete_actions.empty());
    for (int t = 0; t < T; ++t) {
      for (int c = 0; c < E; ++c) {
        const size_t row = size_t(t) * E + c;
        const bool ended = view.terminated[row] || view.truncated[row];
        for (int a = 0; a < 2; ++a) {
          float* const memory = &remembered[(c * 2 + a) * 4];
          const float* const seen = &view.groups[0].observations[(row * 2 + a) * 4];
          for (int i = 0; i < 4; ++i) memory[i] = (recurrent ? memory[i] / 2 : 0.0f) + seen[i];
          const float* const sampled = &view.groups[0].continuous_actions[(row * 2 + a) * 2];
          const ReferenceGaussian gaussian(pilots, own, a, ReferenceLogits(pilots, own, a, memory), 1);
          ASSERT_NEAR(view.groups[0].log_probabilities[row * 2 + a], gaussian.LogProbability(sampled, squashed()), 2e-3)
              << "version " << version << ", step " << t << ", copy " << c;
          double reward = 0;
          for (int i = 0; i < 2; ++i) {
            const double taken = squashed() ? std::tanh(double{sampled[i]}) : std::clamp(double{sampled[i]}, -1.0, 1.0);
            reward -= taken * taken;
            if (!ended) {
              ASSERT_NEAR(view.groups[0].observations[((row + E) * 2 + a) * 4 + i], taken, 1e-6);
            }
            beyond += std::abs(sampled[i]) > 1;
          }
          EXPECT_NEAR(view.groups[0].rewards[row * 2 + a], reward, 1e-5);
          if (ended) std::fill_n(memory, 4, 0.0f);
        }
        // One of two actions: ε-greedy's log-probabilities are log(1 − ε / 2) and log(ε / 2).
        const float log_probability = view.groups[1].log_probabilities[row];
        explored += log_probability < -1;
        EXPECT_FLOAT_EQ(log_probability, std::log(log_probability < -1 ? kEpsilon / 2 : 1 - kEpsilon / 2));
        ends += ended;
      }
    }
  }
  EXPECT_GT(beyond, 20) << "clipping must matter for the comparison to mean something";
  EXPECT_GT(explored, 2);
  EXPECT_GT(ends, 10);
}

TEST_P(ContinuousActions, EqualLeasesGiveEqualBytesWhoeverSharesTheTeam) {
  const auto team = Team(), other_team = Team();
  const auto one = Begin(2), same = Begin(2), other = Begin(1);
  for (uint64_t version = 0; version < 4; ++version) {
    const std::string expected = Contents(Collect(*one, *team, version));
    EXPECT_NE(Contents(Collect(*other, *other_team, version)), expected);
    EXPECT_EQ(Contents(Collect(*same, *other_team, version)), expected);
  }
}

TEST_P(ContinuousActions, EvaluationReplayAndBatchPlayTheSameEpisodes) {
  const PolicySnapshot snapshot = SnapshotOf(plan_, 3);
  EpisodePlan plan{.environment = &SteeredEntry(), .first_seed = 40, .episodes = 11};
  std::vector<double> sums[2];
  for (const bool sample : {false, true}) {
    const Player player = Actors(snapshot, sample);
    plan.threads = 1;
    const auto together = RunEpisodes(plan, player);
    ASSERT_TRUE(together.ok()) << together.status();
    plan.threads = 3;
    const auto threads = RunEpisodes(plan, player);
    const auto environment = SteeredEntry().create({}).value();
    // Two episodes with the same actors: what they remember of the first must not reach the second.
    for (size_t i = 0; i < together->size(); ++i) {
      const EpisodeResult& expected = (*together)[i];
      const auto chooser = MakeDecentralisedChooser(environment->spec(), player.policy, expected.seed).value();
      for (int time = 0; time < 2; ++time) {
        const Watch watch{.seed = expected.seed, .look = [](const auto&, const auto&, const auto&, bool) {}};
        const auto alone = PlayWatched(*environment, *chooser, watch);
        ASSERT_TRUE(alone.ok()) << alone.status();
        EXPECT_EQ(alone->group_returns, expected.group_returns) << expected.seed;
        EXPECT_EQ(alone->statistics, expected.statistics);
      }
      EXPECT_EQ(expected.length, 3 + expected.seed % 4);
      EXPECT_EQ(threads->at(i).statistics, expected.statistics);
      sums[sample].push_back(expected.statistics[0]);
    }
  }
  EXPECT_NE(sums[0], sums[1]);
}

TEST_P(ContinuousActions, ServesOneAgentFromAShell) {
  const PolicySnapshot snapshot = SnapshotOf(plan_, 3);
  const auto serve = [&](const std::string& lines, bool sample, uint64_t seed, std::string* refused) {
    auto actor = OwnActor::Create(plan_.policies[0], snapshot, 1, GetParam().make_network).value();
    EXPECT_EQ(actor->Form(), "2 numbers in [-1, 1]");
    std::istringstream in(lines);
    std::ostringstream out, err;
    ServeActor(*actor, sample, seed, in, out, err);
    *refused = err.str();
    return out.str();
  };
  std::string refused;
  const std::string mode = serve("0.5 0.25 0 1\n0.5 0.25 0 1 | 1 1\n", false, 0, &refused);
  EXPECT_EQ(refused, "line 2: a mask came, which continuous actions do not have\n");
  auto actor = OwnActor::Create(plan_.policies[0], snapshot, 1, GetParam().make_network).value();
  const float observation[] = {0.5f, 0.25f, 0.0f, 1.0f};
  EXPECT_EQ(mode, ActionText(actor->Act(observation, {}, {}), 0, 1) + "\n");
  const std::string two = "1 0 0 0\n0 1 0 0\n";
  EXPECT_EQ(serve(two, true, 4, &refused), serve(two, true, 4, &refused));
  EXPECT_NE(serve(two, true, 4, &refused), serve(two, true, 5, &refused));
}

INSTANTIATE_TEST_SUITE_P(All, ContinuousActions,
                         testing::Values(Kinds{"gaussian", GAUSSIAN, false, MakeNetwork},
                                         Kinds{"gaussian_by_state", GAUSSIAN, true, MakeNetwork},
                                         Kinds{"squashed", SQUASHED_GAUSSIAN, false, MakeNetwork},
                                         Kinds{"recurrent_gaussian", GAUSSIAN, false, MakeLeakyNetwork},
                                         Kinds{"recurrent_squashed_by_state", SQUASHED_GAUSSIAN, true,
                                               MakeLeakyNetwork}),
                         [](const auto& info) { return info.param.name; });

TEST(ActionTextTest, WritesTheIndexOrTheNumbers) {
  const int32_t indices[] = {4, 7};
  const float numbers[] = {0.25f, -1.0f, 0.1f, 0.0f};
  EXPECT_EQ(ActionText({.discrete = indices}, 1, 2), "7");
  EXPECT_EQ(ActionText({.discrete = indices}, 0, 1), "4,7");
  EXPECT_EQ(ActionText({.continuous = numbers}, 0, 2), "0.25,-1");
  EXPECT_EQ(ActionText({.continuous = numbers}, 1, 2), "0.100000001,0");
}

TEST(ActorTeamTest, ASnapshotWithoutWhatTheDistributionNeedsIsRefused) {
  const RolloutPlan plan = SteeredPlan(GAUSSIAN, false);
  const auto team = ActorTeam::Create(plan.policies, 1).value();
  PolicySnapshot snapshot = SnapshotOf(plan, 3);
  EXPECT_TRUE(team->SetSnapshot(snapshot).ok());
  snapshot.scalars.clear();
  EXPECT_THAT(std::string(team->SetSnapshot(snapshot).message()), testing::HasSubstr("scalar \"epsilon\" is missing"));
}

}  // namespace
}  // namespace troupe
