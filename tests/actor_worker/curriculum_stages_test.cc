// What episodes begin with at each stage, and what a worker refuses.
#include "actor_worker/rollout/curriculum_stages.h"

#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/rollout/shard_rollout.h"
#include "common/config/experiment_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/scripted_environment.h"
#include "tests/actor_worker/worker_fixture.h"

namespace troupe {
namespace {

using testing::HasSubstr;

absl::StatusOr<const EnvironmentEntry*> FindScripted(const std::string&) {
  static const EnvironmentEntry entry = ScriptedEntry();
  return &entry;
}

Experiment WithStages(const std::string& environment, const std::string& stages) {
  return ParseExperiment("name: 'x' total_env_steps: 100 environment { name: '" + environment +
                             "' } collection { num_shards: 1 copies_per_shard: 2 rollout_length: 6 "
                             "stagger_first_episode: false } policy { hidden_sizes: [4] } curriculum { " +
                             stages + " }",
                         "e", {})
      .value();
}

std::string RefusalOf(const std::string& environment, const std::string& stages) {
  return std::string(MakeRolloutPlan(WithStages(environment, stages), FindEnvironment).status().message());
}

TEST(CurriculumStagesTest, LayTheirSettingsOverTheExperimentsOwn) {
  Experiment experiment = WithStages("scripted",
                                     "stages { name: 'a' settings { key: 'length' value: '1' } promote { "
                                     "after_env_steps: 1 } }");
  (*experiment.mutable_environment()->mutable_settings())["length"] = "6";
  (*experiment.mutable_environment()->mutable_settings())["ending"] = "truncated";
  const auto plan = MakeRolloutPlan(experiment, FindScripted);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(*plan->stages.Find(0), (SettingsMap{{"ending", "truncated"}, {"length", "1"}}));
  EXPECT_EQ(*plan->stages.Find(1), (SettingsMap{{"ending", "truncated"}, {"length", "6"}}));
  EXPECT_EQ(plan->stages.Find(2), nullptr);
  EXPECT_EQ(*plan->stages.Of({.scalars = {{kCurriculumStageScalar, 1}}}).value(), plan->settings);
  EXPECT_THAT(std::string(plan->stages.Of({.policy_version = 4}).status().message()),
              HasSubstr("policy version 4 names no stage"));
  EXPECT_THAT(std::string(plan->stages.Of({.scalars = {{kCurriculumStageScalar, 2}}}).status().message()),
              HasSubstr("stage 2, expected one of 0 … 1"));
  EXPECT_FALSE(plan->stages.Of({.scalars = {{kCurriculumStageScalar, 0.5}}}).ok());
}

TEST(CurriculumStagesTest, AreRefusedByFieldName) {
  EXPECT_EQ(
      RefusalOf("memory", "stages { name: 'a' settings { key: 'lenght' value: '1' } promote { after_env_steps: 1 } }"),
      "curriculum.stages.0.settings.lenght: unknown setting; did you mean \"length\"? (stage a)");
  EXPECT_THAT(
      RefusalOf("memory", "stages { name: 'a' settings { key: 'length' value: '-1' } promote { after_env_steps: 1 } }"),
      HasSubstr("curriculum.stages.0.settings.length: \"-1\" is not a whole number in"));
  EXPECT_THAT(RefusalOf("memory",
                        "stages { name: 'a' promote { after_env_steps: 1 } } stages { name: 'b' settings { key: "
                        "'num_cues' value: '3' } promote { after_env_steps: 1 } }"),
              HasSubstr("curriculum.stages.1.settings: they change what agents see or can do, which a stage may not "
                        "(stage b): environment_spec.groups[0].observation_size: came 4, expected 3"));
  EXPECT_EQ(RefusalOf("memory", "stages { name: 'a' promote { statistic: 'rihgt' at_least: 1 } }"),
            "curriculum.stages.0.promote.statistic: \"rihgt\" is not a statistic of memory; did you mean \"right\"?");
  // What the share of the way walked is divided by may differ.
  EXPECT_EQ(
      RefusalOf("memory", "stages { name: 'a' settings { key: 'length' value: '1' } promote { after_env_steps: 1 } }"),
      "");
}

// Chunks of six steps: episodes that begin in the first are one step long, those of the second three.
TEST(CurriculumStagesTest, AChunksVersionSaysWhatItsEpisodesBeginWith) {
  Experiment experiment = WithStages("scripted",
                                     "stages { name: 'a' settings { key: 'length' value: '1' } promote { "
                                     "after_env_steps: 1 } }");
  (*experiment.mutable_environment()->mutable_settings())["length"] = "3";
  const RolloutPlan plan = MakeRolloutPlan(experiment, FindScripted).value();
  const auto team = ActorTeam::Create(plan.policies, 2).value();
  const auto lease = std::make_shared<HeldLease>();
  const auto rollout = ShardRollout::Create(plan, lease).value();
  RolloutProgress progress;
  const auto episodes_of = [&](uint64_t version, double stage) {
    auto weights = std::make_shared<PolicySnapshot>(*WeightsOf(plan, version));
    weights->scalars = {{kCurriculumStageScalar, stage}};
    EXPECT_TRUE(team->Apply(weights).ok());
    wire::Chunk chunk;
    const absl::Status status = rollout->Collect(version, *weights, *team, progress, &chunk);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(chunk.policy_version(), version);
    return chunk.episodes_size();
  };
  EXPECT_EQ(episodes_of(0, 0), 12);
  // The episode begun at the end of the first chunk has one step, then 3 and the first two of the next.
  EXPECT_EQ(episodes_of(1, 1), 4);
}

}  // namespace
}  // namespace troupe
