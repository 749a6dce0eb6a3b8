// What a worker records of a team whose agents die and come back.
#include "tests/actor_worker/varying_team.h"

#include <algorithm>
#include <set>

#include "actor_worker/rollout/shard_rollout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/worker_fixture.h"

namespace troupe {
namespace {

using testing::AllOf;
using testing::Contains;

RolloutPlan Plan(bool asks) {
  Experiment experiment = TinyExperiment();
  experiment.mutable_environment()->set_name("varying_team");
  experiment.mutable_critic()->set_attention_heads(asks ? 2 : 0);
  return MakeRolloutPlan(
             experiment,
             [](const std::string&) -> absl::StatusOr<const EnvironmentEntry*> { return &VaryingTeamEntry(); })
      .value();
}

// Chunks of one shard, in order.
std::vector<wire::Chunk> Collect(const RolloutPlan& plan, int count) {
  auto lease = std::make_shared<HeldLease>();
  const auto rollout = ShardRollout::Create(plan, lease).value();
  const auto team = ActorTeam::Create(plan.policies, plan.chunk_shape().copies).value();
  RolloutProgress progress;
  std::vector<wire::Chunk> chunks(count);
  for (int i = 0; i < count; ++i) {
    const auto weights = WeightsOf(plan, i);
    EXPECT_TRUE(team->Apply(weights).ok());
    EXPECT_TRUE(rollout->Collect(i, *weights, *team, progress, &chunks[i]).ok());
  }
  return chunks;
}

constexpr int kAgents = VaryingTeam::kAgents, kSeen = VaryingTeam::kActions;

// Whether flags [rows, A] say who lives of observations [rows, A, O].
void ExpectFlagsOf(absl::Span<const float> observations, absl::Span<const uint8_t> alive) {
  ASSERT_EQ(observations.size(), alive.size() * kSeen);
  for (size_t i = 0; i < alive.size(); ++i) {
    EXPECT_EQ(alive[i], observations[i * kSeen] != VaryingTeam::kAbsentSees) << i;
  }
}

TEST(VaryingTeam, FlagsBelongToTheirRowsAndToLastStates) {
  const RolloutPlan plan = Plan(true);
  std::set<int> team_sizes, last_sizes;
  int revived = 0;
  for (const wire::Chunk& chunk : Collect(plan, 8)) {
    const ChunkView view = ViewChunk(plan.spec, plan.chunk_shape(), chunk).value();
    const auto& crew = view.groups[0];
    ExpectFlagsOf(crew.observations, crew.alive);
    ASSERT_EQ(crew.final_alive.size(), view.truncated_at.size() / 2 * kAgents);
    ExpectFlagsOf(crew.final_observations, crew.final_alive);
    const auto count = [](absl::Span<const uint8_t> flags) { return std::count(flags.begin(), flags.end(), 1); };
    for (size_t i = 0; i < crew.alive.size(); i += kAgents) team_sizes.insert(count(crew.alive.subspan(i, kAgents)));
    for (size_t i = 0; i < crew.final_alive.size(); i += kAgents) {
      last_sizes.insert(count(crew.final_alive.subspan(i, kAgents)));
    }
    // Within one episode: from a step to the next of its copy.
    const size_t row = plan.chunk_shape().copies * kAgents;
    for (size_t i = 0; i < crew.rewards.size(); ++i) {
      if (view.truncated[i / kAgents] == 0) revived += crew.alive[i] == 0 && crew.alive[i + row] == 1;
      // Nobody is paid who is not there.
      if (crew.alive[i] == 0) {
        EXPECT_EQ(crew.rewards[i], 0.0f);
      }
    }
  }
  EXPECT_THAT(team_sizes, AllOf(Contains(0), Contains(1), Contains(2), Contains(3), Contains(4)));
  EXPECT_GT(last_sizes.size(), 1);
  EXPECT_GT(revived, 10);
}

TEST(VaryingTeam, WhoLivesInLastStatesTravelsOnlyForCriticsThatAsk) {
  const RolloutPlan asks = Plan(true), does_not = Plan(false);
  const std::vector<wire::Chunk> with = Collect(asks, 4), without = Collect(does_not, 4);
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(without[i].groups(0).has_final_alive());
    wire::Chunk same = with[i];
    same.mutable_groups(0)->clear_final_alive();
    EXPECT_EQ(Contents(same), Contents(without[i])) << "nothing else is another";
  }
}

}  // namespace
}  // namespace troupe
