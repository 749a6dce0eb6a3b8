// A team of every kind of actions from end to end in the worker: rollouts, warm-up, evaluation and replay.
#include "actor_worker/environments/episode_buffers.h"
#include "actor_worker/environments/random_actions.h"
#include "actor_worker/evaluation/watched_episode.h"
#include "actor_worker/rollout/shard_rollout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/inference_reference.h"
#include "tests/actor_worker/mixed_environment.h"
#include "tests/actor_worker/worker_fixture.h"

namespace troupe {
namespace {

RolloutPlan MixedPlan() {
  Experiment experiment = TinyExperiment();
  experiment.mutable_environment()->set_name("mixed");
  RolloutPlan plan{.experiment = experiment, .environment = &MixedEntry(), .spec = MixedEnvironment().spec()};
  plan.policies = MakePolicySpecs(experiment, plan.spec).value();
  return plan;
}

PolicySnapshot SnapshotOf(const RolloutPlan& plan, uint64_t version) {
  PolicySnapshot snapshot{version, {}, {}};
  for (const PolicySpec& policy : plan.policies) {
    for (HostTensor& tensor : RandomWeights(policy, MixKey({version, 5}))) {
      snapshot.tensors.push_back(std::move(tensor));
    }
  }
  return snapshot;
}

std::unique_ptr<ShardRollout> Begin(const RolloutPlan& plan) {
  auto lease = std::make_shared<HeldLease>();
  lease->lease_epoch = 1;
  return ShardRollout::Create(plan, lease).value();
}

wire::Chunk Collect(const RolloutPlan& plan, ShardRollout& rollout, ActorTeam& team, uint64_t version) {
  const auto snapshot = std::make_shared<PolicySnapshot>(SnapshotOf(plan, version));
  EXPECT_TRUE(team.Apply(snapshot).ok());
  RolloutProgress progress;
  wire::Chunk chunk;
  const absl::Status status = rollout.Collect(version, *snapshot, team, progress, &chunk);
  EXPECT_TRUE(status.ok()) << status;
  return chunk;
}

// log π of the softmax of `size` logits where the mask allows.
double LogSoftmax(const double* logits, const uint8_t* mask, int size, int choice) {
  double total = 0;
  for (int i = 0; i < size; ++i) total += mask[i] != 0 ? std::exp(logits[i]) : 0;
  return logits[choice] - std::log(total);
}

TEST(MixedActionsTest, ChunksRecordWhatEveryKindOfAgentDid) {
  const RolloutPlan plan = MixedPlan();
  const auto team = ActorTeam::Create(plan.policies, plan.chunk_shape().copies).value();
  const auto rollout = Begin(plan);
  const int E = plan.chunk_shape().copies, T = plan.chunk_shape().rollout_length;
  int compared = 0, beyond = 0;
  for (uint64_t version = 0; version < 6; ++version) {
    const wire::Chunk chunk = Collect(plan, *rollout, *team, version);
    const ChunkView view = ViewChunk(plan.spec, plan.chunk_shape(), chunk).value();
    const PolicySnapshot snapshot = SnapshotOf(plan, version);
    const auto tensors = TensorsOfGroup(snapshot, plan.policies[2]).value();
    const std::vector<HostTensor> of_crew(tensors.begin(), tensors.end());
    EXPECT_EQ(view.groups[1].discrete_actions.size(), T * E);
    EXPECT_EQ(view.groups[2].multi_discrete_actions.size(), T * E * 2 * 2);
    for (int agent = 0; agent < T * E * 2; ++agent) {
      const bool ended = view.truncated[agent / 2] != 0;
      // Recorded is the sample of the policy's own units; the environment saw it within its bounds.
      for (int i = 0; i < 2; ++i) {
        const float sample = view.groups[0].continuous_actions[agent * 2 + i];
        const double done = std::clamp(double{sample}, -1.0, 1.0), given = i == 0 ? 2 * done : 20 + 10 * done;
        beyond += std::abs(sample) > 1;
        if (!ended) {
          EXPECT_NEAR(view.groups[0].observations[(agent + 2 * E) * 3 + i], given, 1e-5);
        }
      }
      const int32_t* const indices = &view.groups[2].multi_discrete_actions[agent * 2];
      const float* const seen = &view.groups[2].observations[agent * 3];
      const uint8_t* const mask = &view.groups[2].action_masks[agent * 5];
      EXPECT_EQ(mask[indices[0]], 1);
      const std::vector<double> logits = ReferenceLogits(plan.policies[2], of_crew, agent % 2, seen);
      EXPECT_NEAR(view.groups[2].log_probabilities[agent],
                  LogSoftmax(logits.data(), mask, 3, indices[0]) + LogSoftmax(&logits[3], mask + 3, 2, indices[1]),
                  1e-4);
      EXPECT_EQ(view.groups[2].rewards[agent], indices[0] + indices[1]);
      if (ended) continue;
      EXPECT_EQ(view.groups[2].observations[(agent + 2 * E) * 3], indices[0]);
      EXPECT_EQ(view.groups[2].observations[(agent + 2 * E) * 3 + 1], indices[1]);
      ++compared;
    }
  }
  EXPECT_GT(compared, 50);
  EXPECT_GT(beyond, 20) << "clipping must matter for the comparison to mean something";
}

// The environment refuses what is out of range or forbidden: by reaching the end nothing was.
TEST(MixedActionsTest, WarmUpPlaysWhatIsAllowedWithinTheBounds) {
  const auto environment = VectorEnvironment::Create(MixedEntry(), {}, 3).value();
  EpisodeBuffers memory(environment->spec(), 3);
  const absl::Status status = environment->Start({.run_seed = 3, .max_warm_up_steps = 200}, memory.row);
  EXPECT_TRUE(status.ok()) << status;
}

TEST(MixedActionsTest, RandomActionsAreAllThatIsAllowedAlike) {
  const EnvironmentSpec spec = MixedEnvironment().spec();
  const std::vector<uint8_t> masks = {1, 0, 1, 0, 1, 1, 1, 1, 1, 1};
  RandomStream random(4);
  std::vector<int32_t> indices(4);
  std::vector<float> numbers(4);
  int counts[4][3] = {};
  double sums[2] = {}, lowest = 0, highest = 0;
  constexpr int kDraws = 30000;
  for (int draw = 0; draw < kDraws; ++draw) {
    ChooseRandomActions(spec.groups[2], masks, random, absl::MakeSpan(indices), {});
    ChooseRandomActions(spec.groups[0], {}, random, {}, absl::MakeSpan(numbers));
    for (int i = 0; i < 4; ++i) {
      ++counts[i][indices[i]];
      sums[i % 2] += numbers[i] / (2 * kDraws);
    }
    lowest = std::min<double>(lowest, numbers[0]);
    highest = std::max<double>(highest, numbers[0]);
  }
  // Five standard errors are 0.015 of a share, and of numbers uniform in [-2, 2] and [10, 30] 0.024 and 0.12.
  const double expected[4][3] = {{0.5, 0, 0.5}, {0, 1, 0}, {1.0 / 3, 1.0 / 3, 1.0 / 3}, {0.5, 0.5, 0}};
  for (int i = 0; i < 4; ++i) {
    for (int choice = 0; choice < 3; ++choice) {
      EXPECT_NEAR(counts[i][choice] / double{kDraws}, expected[i][choice], 0.015) << i << " " << choice;
    }
  }
  EXPECT_NEAR(sums[0], 0, 0.024);
  EXPECT_NEAR(sums[1], 20, 0.12);
  EXPECT_LT(lowest, -1.99);
  EXPECT_GE(lowest, -2);
  EXPECT_GT(highest, 1.99);
  EXPECT_LE(highest, 2);
}

TEST(MixedActionsTest, EvaluationReplayAndBatchPlayTheSameEpisodes) {
  const RolloutPlan plan = MixedPlan();
  const PolicySnapshot snapshot = SnapshotOf(plan, 3);
  for (const bool sample : {false, true}) {
    const Player player{.name = "actors",
                        .policy = {.policies = &plan.policies, .weights = &snapshot, .sample_actions = sample}};
    const auto together =
        RunEpisodes({.environment = &MixedEntry(), .first_seed = 40, .episodes = 11, .threads = 2}, player);
    ASSERT_TRUE(together.ok()) << together.status();
    const auto environment = MixedEntry().create({}).value();
    for (const EpisodeResult& expected : *together) {
      const auto chooser = MakeDecentralisedChooser(environment->spec(), player.policy, expected.seed).value();
      const Watch watch{.seed = expected.seed, .look = [](const auto&, const auto&, const auto&, bool) {}};
      const auto alone = PlayWatched(*environment, *chooser, watch);
      ASSERT_TRUE(alone.ok()) << alone.status();
      EXPECT_EQ(alone->group_returns, expected.group_returns) << expected.seed;
      EXPECT_EQ(alone->statistics, expected.statistics);
    }
  }
  const auto random =
      RunEpisodes({.environment = &MixedEntry(), .first_seed = 1, .episodes = 20, .threads = 1}, {.name = "random"});
  EXPECT_TRUE(random.ok()) << random.status();
}

TEST(MixedActionsTest, ADimensionWithoutAnAllowedChoiceIsNamed) {
  class Closed final : public Environment {
   public:
    const EnvironmentSpec& spec() const override { return mixed_.spec(); }
    absl::Status Reset(uint64_t seed) override { return mixed_.Reset(seed); }
    absl::Status Step(const JointAction& action, StepOutcome& outcome) override { return mixed_.Step(action, outcome); }
    void Observe(JointObservation& observation) const override {
      mixed_.Observe(observation);
      observation.groups[2].action_mask[8] = observation.groups[2].action_mask[9] = 0;
    }
    void EpisodeStatistics(absl::Span<double> statistics) const override { mixed_.EpisodeStatistics(statistics); }
    std::string Render() const override { return ""; }

   private:
    MixedEnvironment mixed_;
  };
  EnvironmentEntry entry = MixedEntry();
  entry.create = [](const SettingsMap&) -> absl::StatusOr<std::unique_ptr<Environment>> {
    return std::make_unique<Closed>();
  };
  const auto environment = VectorEnvironment::Create(entry, {}, 1).value();
  EpisodeBuffers memory(environment->spec(), 1);
  EXPECT_THAT(
      std::string(environment->Start({}, memory.row).message()),
      testing::HasSubstr("agent stern in group crew has no allowed action in dimension 1, expected at least one"));
}

}  // namespace
}  // namespace troupe
