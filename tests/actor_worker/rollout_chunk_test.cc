#include <algorithm>
#include <cmath>

#include "actor_worker/rollout/chunk_builder.h"
#include "actor_worker/rollout/chunk_pool.h"
#include "actor_worker/rollout/shard_rollout.h"
#include "common/base/half.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/worker_fixture.h"

namespace troupe {
namespace {

class ShardRolloutTest : public testing::Test {
 protected:
  void SetUp() override { TinyFaults::Get().Reset(); }

  std::unique_ptr<ShardRollout> Begin(uint32_t shard, uint32_t epoch = 1) {
    auto lease = std::make_shared<HeldLease>();
    lease->shard = shard;
    lease->lease_epoch = epoch;
    lease_ = lease;
    return ShardRollout::Create(plan_, lease).value();
  }
  wire::Chunk Collect(ShardRollout& rollout, uint64_t sequence, uint64_t version) {
    wire::Chunk chunk;
    EXPECT_TRUE(CollectInto(rollout, sequence, version, &chunk).ok());
    return chunk;
  }
  absl::Status CollectInto(ShardRollout& rollout, uint64_t sequence, uint64_t version, wire::Chunk* chunk) {
    const auto weights = WeightsOf(plan_, version);
    EXPECT_TRUE(team_->Apply(weights).ok());
    return rollout.Collect(sequence, *weights, *team_, progress_, chunk);
  }
  ChunkView View(const wire::Chunk& chunk) { return ViewChunk(plan_.spec, plan_.chunk_shape(), chunk).value(); }

  const RolloutPlan plan_ = TinyPlan(TinyExperiment());
  std::unique_ptr<ActorTeam> team_ = ActorTeam::Create(plan_.policies, plan_.chunk_shape().copies).value();
  RolloutProgress progress_;
  std::shared_ptr<HeldLease> lease_;
  const int T = plan_.chunk_shape().rollout_length, E = plan_.chunk_shape().copies;
};

TEST_F(ShardRolloutTest, WritesAChunkThatFitsTheLayoutAndSaysWhoseItIs) {
  const auto rollout = Begin(3, 9);
  const wire::Chunk chunk = Collect(*rollout, 0, 5);
  EXPECT_EQ(chunk.shard(), 3);
  EXPECT_EQ(chunk.lease_epoch(), 9);
  EXPECT_EQ(chunk.sequence(), 0);
  EXPECT_EQ(chunk.policy_version(), 5);
  EXPECT_TRUE(ViewChunk(plan_.spec, plan_.chunk_shape(), chunk).ok());
  EXPECT_GT(chunk.environment_seconds(), 0);
  EXPECT_GT(chunk.inference_seconds(), 0);
}

TEST_F(ShardRolloutTest, TheNextChunkBeginsWithTheLastRow) {
  const auto rollout = Begin(0);
  wire::Chunk last = Collect(*rollout, 0, 0);
  for (uint64_t sequence = 1; sequence < 6; ++sequence) {
    const wire::Chunk next = Collect(*rollout, sequence, sequence);
    const ChunkView before = View(last), after = View(next);
    for (int g = 0; g < plan_.spec.groups.size(); ++g) {
      const size_t row = before.groups[g].observations.size() / (T + 1),
                   mask = before.groups[g].action_masks.size() / (T + 1),
                   alive = before.groups[g].alive.size() / (T + 1);
      EXPECT_EQ(before.groups[g].observations.subspan(T * row), after.groups[g].observations.subspan(0, row));
      EXPECT_EQ(before.groups[g].action_masks.subspan(T * mask), after.groups[g].action_masks.subspan(0, mask));
      EXPECT_EQ(before.groups[g].alive.subspan(T * alive), after.groups[g].alive.subspan(0, alive));
    }
    EXPECT_EQ(before.state_extras.subspan(T * E * 2), after.state_extras.subspan(0, E * 2));
    last = next;
  }
}

TEST_F(ShardRolloutTest, EqualLeasesGiveEqualBytesAndOthersDoNot) {
  const auto one = Begin(2, 1), same = Begin(2, 1), other_epoch = Begin(2, 2), other_shard = Begin(1, 1);
  for (uint64_t sequence = 0; sequence < 4; ++sequence) {
    const std::string expected = Contents(Collect(*one, sequence, sequence));
    EXPECT_EQ(Contents(Collect(*same, sequence, sequence)), expected);
    EXPECT_NE(Contents(Collect(*other_epoch, sequence, sequence)), expected);
    EXPECT_NE(Contents(Collect(*other_shard, sequence, sequence)), expected);
  }
}

TEST_F(ShardRolloutTest, MemoryOfAnEarlierUseDoesNotShow) {
  const auto fresh = Begin(2), reused = Begin(2), other = Begin(1);
  wire::Chunk chunk;
  for (uint64_t sequence = 0; sequence < 4; ++sequence) {
    ASSERT_TRUE(CollectInto(*other, sequence, 7, &chunk).ok());
    ASSERT_TRUE(CollectInto(*reused, sequence, 3, &chunk).ok());
    EXPECT_EQ(Contents(chunk), Contents(Collect(*fresh, sequence, 3)));
  }
}

TEST_F(ShardRolloutTest, ActsWithAllowedActionsAndTellsTheirProbabilities) {
  const auto rollout = Begin(0);
  const wire::Chunk chunk = Collect(*rollout, 0, 1);
  const ChunkView view = View(chunk);
  for (int g = 0; g < plan_.spec.groups.size(); ++g) {
    const int choices = plan_.spec.groups[g].action_size;
    for (int i = 0; i < view.groups[g].discrete_actions.size(); ++i) {
      EXPECT_EQ(view.groups[g].action_masks[i * choices + view.groups[g].discrete_actions[i]], 1);
      EXPECT_LE(view.groups[g].log_probabilities[i], 0);
      EXPECT_GT(view.groups[g].log_probabilities[i], -10);
    }
  }
}

// The environment steps as the chunk says: sums of actions reappear in the observations, rewards are the actions' own.
TEST_F(ShardRolloutTest, RowsBelongTogether) {
  const auto rollout = Begin(0);
  for (uint64_t sequence = 0; sequence < 8; ++sequence) {
    const wire::Chunk chunk = Collect(*rollout, sequence, 1);
    const ChunkView view = View(chunk);
    int continued = 0;
    for (int t = 0; t < T; ++t) {
      for (int e = 0; e < E; ++e) {
        const int row = t * E + e;
        float taken = 0.0f;
        for (int a = 0; a < 2; ++a) {
          const int action = view.groups[0].discrete_actions[row * 2 + a];
          EXPECT_EQ(view.groups[0].rewards[row * 2 + a], static_cast<float>(action) - 0.5f);
          taken += static_cast<float>((a + 1) * action);
        }
        taken += 11.0f * static_cast<float>(view.groups[1].discrete_actions[row]);
        if (view.terminated[row] || view.truncated[row]) {
          EXPECT_EQ(view.state_extras[(row + E) * 2], 0.0f) << "a new episode follows";
          continue;
        }
        ++continued;
        EXPECT_EQ(view.state_extras[(row + E) * 2], view.state_extras[row * 2] + 1.0f);
        EXPECT_NEAR(view.groups[0].observations[(row + E) * 6] - view.groups[0].observations[row * 6], 0.01f * taken,
                    1e-5f);
      }
    }
    EXPECT_GT(continued, 0);
  }
}

TEST_F(ShardRolloutTest, TruncatedEpisodesBringTheirLastRowAndFinishedOnesTheirFigures) {
  const auto rollout = Begin(0);
  int truncated = 0, terminated = 0, finished = 0;
  for (uint64_t sequence = 0; sequence < 12; ++sequence) {
    const wire::Chunk chunk = Collect(*rollout, sequence, 1);
    const ChunkView view = View(chunk);
    int listed = 0;
    for (int t = 0; t < T; ++t) {
      for (int e = 0; e < E; ++e) {
        terminated += view.terminated[t * E + e];
        if (!view.truncated[t * E + e]) continue;
        ASSERT_EQ(view.truncated_at[listed * 2], t);
        ASSERT_EQ(view.truncated_at[listed * 2 + 1], e);
        EXPECT_EQ(view.final_state_extras[listed * 2], 7.0f) << "the step at which odd seeds are cut";
        ++listed;
      }
    }
    EXPECT_EQ(view.truncated_at.size(), listed * 2);
    EXPECT_EQ(view.groups[0].final_observations.size(), listed * 6);
    truncated += listed;
    for (const wire::FinishedEpisode& episode : chunk.episodes()) {
      const int row = episode.step() * E + episode.copy();
      EXPECT_NE(view.terminated[row], view.truncated[row]);
      EXPECT_EQ(episode.group_returns_size(), 2);
      ASSERT_EQ(episode.statistics_size(), 1);
      EXPECT_LE(episode.length(), 7);
      ++finished;
    }
  }
  EXPECT_GT(truncated, 0);
  EXPECT_GT(terminated, 0);
  EXPECT_LE(finished, truncated + terminated);
  EXPECT_GE(finished, truncated + terminated - E) << "only episodes begun by warm-up may be missing";
}

TEST_F(ShardRolloutTest, StopsWithinAStepOnceTheLeaseIsGone) {
  const auto rollout = Begin(0);
  Collect(*rollout, 0, 0);
  lease_->gone = true;
  wire::Chunk chunk;
  const int64_t before = TinyFaults::Get().steps;
  EXPECT_TRUE(absl::IsCancelled(CollectInto(*rollout, 1, 0, &chunk)));
  EXPECT_EQ(TinyFaults::Get().steps, before);
}

TEST_F(ShardRolloutTest, AnEnvironmentThatThrowsOrReturnsNanIsAnErrorThatSaysSo) {
  TinyFaults::Get().throw_at_step = 30;
  const auto thrower = Begin(0);
  wire::Chunk chunk;
  absl::Status status;
  for (int sequence = 0; sequence < 20 && status.ok(); ++sequence) status = CollectInto(*thrower, sequence, 0, &chunk);
  EXPECT_NE(status.message().find("the simulator fell over"), std::string::npos) << status;

  TinyFaults::Get().Reset();
  TinyFaults::Get().nan_at_step = 40;
  const auto liar = Begin(0);
  status = absl::OkStatus();
  for (int sequence = 0; sequence < 20 && status.ok(); ++sequence) status = CollectInto(*liar, sequence, 0, &chunk);
  EXPECT_NE(status.message().find("finite"), std::string::npos) << status;

  TinyFaults::Get().Reset();
  TinyFaults::Get().huge_at_step = 40;
  const auto glitch = Begin(0);
  status = absl::OkStatus();
  for (int sequence = 0; sequence < 20 && status.ok(); ++sequence) status = CollectInto(*glitch, sequence, 0, &chunk);
  EXPECT_NE(status.message().find("reward of agent c in group scout is -1e+09, expected at most 1.67772e+07"),
            std::string::npos)
      << status;
}

TEST(ChunkPoolTest, GivesMessagesOutAgainOnceTheirLastOwnerLetsGo) {
  ChunkPool pool(1);
  std::shared_ptr<wire::WorkerMessage> first = pool.Take();
  const wire::WorkerMessage* address = first.get();
  std::shared_ptr<const wire::WorkerMessage> writer = first;
  first.reset();
  EXPECT_EQ(pool.num_unused(), 0);
  writer.reset();
  EXPECT_EQ(pool.num_unused(), 1);
  EXPECT_EQ(pool.Take().get(), address);
}

TEST(ChunkPoolTest, KeepsNoMoreThanItsCapacityAndMayGoFirst) {
  std::shared_ptr<wire::WorkerMessage> survivor;
  {
    ChunkPool pool(1);
    survivor = pool.Take();
    { const auto one = pool.Take(), other = pool.Take(); }
    EXPECT_EQ(pool.num_unused(), 1);
  }
  EXPECT_TRUE(survivor->has_chunk());
}

Experiment InHalfPrecision() {
  Experiment experiment = TinyExperiment();
  experiment.mutable_collection()->set_half_observations(true);
  return experiment;
}

// Two builders are told the same; one of them tells the wire in half precision.
TEST(HalfObservationsTest, TheWireCarriesWhatThePolicySaw) {
  const RolloutPlan plan = TinyPlan(InHalfPrecision());
  const ChunkShape shape = plan.chunk_shape();
  ChunkBuilder builder(plan.spec, shape);
  wire::Chunk chunk;
  std::vector<std::vector<float>> last(plan.spec.groups.size());
  for (int sequence = 0; sequence < 3; ++sequence) {
    builder.Begin(&chunk);
    std::vector<std::vector<float>> seen(plan.spec.groups.size());
    for (int t = 0; t < shape.rollout_length; ++t) {
      builder.SetStep(t);
      for (size_t g = 0; g < seen.size(); ++g) {
        const absl::Span<float> row = builder.observations().groups[g].observations;
        if (sequence == 0 && t == 0) {
          std::ranges::fill(row, 0.1f);
          builder.SetStep(0);
        }
        seen[g].insert(seen[g].end(), row.begin(), row.end());
        const absl::Span<float> next = builder.next().groups[g].observations;
        for (size_t i = 0; i < next.size(); ++i) next[i] = 1.0f / static_cast<float>(3 + t + i);
      }
    }
    ASSERT_TRUE(builder.Finish().ok());
    for (size_t g = 0; g < seen.size(); ++g) {
      wire::GroupTrajectory& group = *chunk.mutable_groups(static_cast<int>(g));
      EXPECT_EQ(group.observations().data_type(), wire::FLOAT16);
      std::vector<float> sent(HalfObservations(&group).size());
      HalvesToFloats(HalfObservations(&group), sent.data());
      ASSERT_GT(sent.size(), seen[g].size());
      EXPECT_TRUE(std::equal(seen[g].begin(), seen[g].end(), sent.begin())) << "what was acted on";
      EXPECT_NE(sent.back(), 1.0f / static_cast<float>(3 + shape.rollout_length - 1)) << "rounded";
      if (sequence > 0) {
        EXPECT_TRUE(std::equal(last[g].begin(), last[g].end(), sent.begin())) << "the last row goes on";
      }
      last[g].assign(sent.end() - static_cast<std::ptrdiff_t>(sent.size() / (shape.rollout_length + 1)), sent.end());
    }
  }
}

TEST(HalfObservationsTest, AChunkIsSmallerAndSaysSo) {
  const RolloutPlan half = TinyPlan(InHalfPrecision()), whole = TinyPlan(TinyExperiment());
  EXPECT_LT(MaxChunkBytes(half.spec, half.chunk_shape()), MaxChunkBytes(whole.spec, whole.chunk_shape()));
  wire::Chunk chunk;
  EXPECT_TRUE(AllocateChunk(half.spec, half.chunk_shape(), &chunk).groups[0].observations.empty());
  EXPECT_TRUE(ViewChunk(half.spec, half.chunk_shape(), chunk).ok());
  EXPECT_THAT(std::string(ViewChunk(whole.spec, whole.chunk_shape(), chunk).status().message()),
              ::testing::HasSubstr("groups[0].observations.data_type: came 4, expected FLOAT32"));
}

TEST(NetworkStatesTest, AreAskedForWhereASequenceBegins) {
  const RolloutPlan plan = TinyPlan(TinyExperiment());
  ChunkShape shape = plan.chunk_shape();
  ASSERT_EQ(shape.rollout_length, 5);
  shape.network_states = {{}, {.state_size = 2, .sequence_length = 3}};  // the second group remembers
  ChunkBuilder builder(plan.spec, shape);
  wire::Chunk chunk;
  for (int sequence = 0; sequence < 2; ++sequence) {
    builder.Begin(&chunk);
    for (int t = 0; t < shape.rollout_length; ++t) {
      builder.SetStep(t);
      EXPECT_TRUE(builder.network_states()[0].empty());
      const absl::Span<float> states = builder.network_states()[1];
      EXPECT_EQ(states.size(), t % 3 == 0 ? shape.copies * plan.spec.groups[1].num_agents() * 2 : 0) << t;
      std::ranges::fill(states, static_cast<float>(10 * sequence + t));
    }
    ASSERT_TRUE(builder.Finish().ok());
    const ChunkView view = ViewChunk(plan.spec, shape, chunk).value();
    const absl::Span<const float> states = view.groups[1].network_states;
    const size_t row = states.size() / 2;
    EXPECT_EQ(std::ranges::count(states.first(row), static_cast<float>(10 * sequence)), row);
    EXPECT_EQ(std::ranges::count(states.subspan(row), static_cast<float>(10 * sequence + 3)), row);
  }
}

TEST(OptionalFieldsTest, LogProbabilitiesNobodyAsksForAreWrittenBesideTheChunk) {
  const RolloutPlan plan = TinyPlan(TinyExperiment());
  ChunkShape shape = plan.chunk_shape();
  shape.left_out = OptionalFieldsBut({});
  ChunkBuilder builder(plan.spec, shape);
  wire::Chunk chunk;
  builder.Begin(&chunk);
  for (int t = 0; t < shape.rollout_length; ++t) {
    builder.SetStep(t);
    for (size_t g = 0; g < plan.spec.groups.size(); ++g) {
      EXPECT_EQ(builder.chosen()[g].log_probabilities.size(), shape.copies * plan.spec.groups[g].num_agents());
      std::ranges::fill(builder.chosen()[g].log_probabilities, -1.0f);
    }
  }
  ASSERT_TRUE(builder.Finish().ok());
  EXPECT_FALSE(chunk.groups(0).has_log_probabilities());
  EXPECT_TRUE(ViewChunk(plan.spec, shape, chunk).ok());
}

TEST(OptionalFieldsTest, LastStatesSayWhatIsAllowedWhereValuesOfActionsAreLearnt) {
  const RolloutPlan plan = TinyPlan(TinyExperiment());
  ChunkShape shape = plan.chunk_shape();
  shape.values_actions = true;
  ChunkBuilder builder(plan.spec, shape);
  wire::Chunk chunk;
  builder.Begin(&chunk);
  TruncatedCopy last{.copy = 1};
  std::vector<std::vector<uint8_t>> masks;
  std::vector<std::vector<float>> observations;
  for (const AgentGroupSpec& group : plan.spec.groups) {
    masks.emplace_back(group.num_agents() * group.action_size, 1).back() = 0;
    observations.emplace_back(group.num_agents() * group.observation_size, 0.5f);
  }
  for (size_t g = 0; g < masks.size(); ++g) {
    last.final_action_masks.emplace_back(masks[g]);
    last.final_observations.emplace_back(observations[g]);
  }
  const std::vector<float> extras(plan.spec.state_extras_size, 0.5f);
  last.final_state_extras = extras;
  for (int t = 0; t < shape.rollout_length; ++t) {
    builder.SetStep(t);
    if (t == 2) {
      builder.outcome().truncated[1] = 1;
      builder.Record({last}, {});
    }
  }
  ASSERT_TRUE(builder.Finish().ok());
  const ChunkView view = ViewChunk(plan.spec, shape, chunk).value();
  for (size_t g = 0; g < masks.size(); ++g) {
    EXPECT_EQ(view.groups[g].final_action_masks, absl::MakeConstSpan(masks[g])) << g;
  }
}

TEST(HalfObservationsTest, WhatDoesNotFitIsAnErrorOfTheChunk) {
  const RolloutPlan plan = TinyPlan(InHalfPrecision());
  ChunkBuilder builder(plan.spec, plan.chunk_shape());
  wire::Chunk chunk;
  builder.Begin(&chunk);
  for (int t = 0; t < plan.chunk_shape().rollout_length; ++t) {
    builder.SetStep(t);
    for (const auto& group : builder.next().groups) std::ranges::fill(group.observations, t == 2 ? 70000.0f : 1.0f);
  }
  const absl::Status status = builder.Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("collection.half_observations"));
}

}  // namespace
}  // namespace troupe
