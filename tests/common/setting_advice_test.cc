#include "common/config/setting_advice.h"

#include <filesystem>

#include "absl/strings/str_join.h"
#include "common/config/experiment_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kPlain[] =
    "name: 'plain' total_env_steps: 100000 environment { name: 'grid_world' } "
    "collection { num_shards: 4 copies_per_shard: 4 rollout_length: 16 }";

std::vector<std::string> Advice(const std::vector<std::string>& overrides, int workers = 2) {
  const absl::StatusOr<Experiment> experiment = ParseExperiment(kPlain, "plain", overrides);
  EXPECT_TRUE(experiment.ok()) << experiment.status();
  return AdviceOn(*experiment, workers);
}

TEST(SettingAdviceTest, APlainExperimentNeedsNone) {
  for (const int workers : {1, 2, 4}) EXPECT_THAT(Advice({}, workers), IsEmpty()) << workers;
}

TEST(SettingAdviceTest, WorkersWithoutWorkAreToldOf) {
  EXPECT_THAT(Advice({}, 6), ElementsAre("collection.num_shards: 4 for 6 workers: a shard is one worker's, so 2 have "
                                         "nothing to do"));
  EXPECT_THAT(Advice({}, 3),
              ElementsAre("collection.num_shards: 4 do not divide among 3 workers: those with 1 wait for "
                          "those with 2"));
  EXPECT_THAT(Advice({"collection.mode=ASYNCHRONOUS"}, 3), IsEmpty());
}

TEST(SettingAdviceTest, StepsThatComeToLittleAreToldOf) {
  EXPECT_THAT(Advice({"total_env_steps=500"}),
              ElementsAre("total_env_steps: 500 in batches of 256 (collection) are 2 updates"));
  EXPECT_THAT(Advice({"evaluation.interval_env_steps=100"}), ElementsAre(HasSubstr("100 is less than a batch's 256")));
  EXPECT_THAT(Advice({"evaluation.interval_env_steps=200000"}), ElementsAre(HasSubstr("nothing is evaluated")));
  EXPECT_THAT(Advice({"evaluation.best_by=success"}),
              ElementsAre("evaluation.best_by: \"success\" decides nothing without evaluation.interval_env_steps"));
}

TEST(SettingAdviceTest, SettingsThatDecideNothingAreToldOf) {
  const auto idle = [](const std::string& override, const std::string& needs) {
    const std::string field = override.substr(0, override.find('='));
    EXPECT_THAT(Advice({override}), ElementsAre(field + ": decides nothing without " + needs));
  };
  idle("collection.max_policy_lag=2", "collection.mode ASYNCHRONOUS");
  idle("collection.sequence_length=5", "a recurrent_cell or policy.message_size");
  idle("ppo.vtrace_rho_clip=2", "ppo.lag_correction V_TRACE");
  idle("ppo.vtrace_c_clip=2", "ppo.lag_correction V_TRACE");
  idle("ppo.importance_cap=2", "ppo.lag_correction DECOUPLED");
  idle("critic.token_size=32", "critic.attention_heads");
  idle("policy.option_steps=5", "policy.num_options");
  idle("ppo.manager_discount=0.5", "policy.num_options");
  idle("ppo.manager_entropy_coefficient=0.5", "policy.num_options");
  EXPECT_THAT(Advice({"policy.num_options=2", "policy.option_steps=5", "ppo.manager_discount=0.5"}), IsEmpty());
  EXPECT_THAT(Advice({"ppo.value_loss=SQUARED", "ppo.huber_delta=3"}), ElementsAre(HasSubstr("ppo.huber_delta")));
  EXPECT_THAT(Advice({"ppo.advantage_normalization_per_agent=true", "ppo.advantage_normalization=false"}),
              ElementsAre(HasSubstr("ppo.advantage_normalization_per_agent")));
  EXPECT_THAT(Advice({"collection.sequence_length=5", "policy.recurrent_cell=GRU"}), IsEmpty());
  EXPECT_THAT(Advice({"collection.sequence_length=5", "policy.message_size=4"}), IsEmpty());
  EXPECT_THAT(Advice({"ppo.lag_correction=V_TRACE", "ppo.vtrace_rho_clip=2"}), IsEmpty());
}

TEST(SettingAdviceTest, AReplayThatNeverStartsIsToldOf) {
  const std::vector<std::string> qmix = {"algorithm.name=qmix", "total_env_steps=4000"};
  EXPECT_THAT(Advice(qmix), ElementsAre(HasSubstr("q_learning.learning_starts: 5000 is not before total_env_steps")));
  EXPECT_THAT(Advice({"algorithm.name=qmix", "total_env_steps=20000"}),
              ElementsAre(HasSubstr("exploration does not come down to final_epsilon")));
}

// What the project itself ships is an example of how it is done.
TEST(SettingAdviceTest, ShippedExperimentsNeedNone) {
  for (const auto& entry : std::filesystem::directory_iterator(TROUPE_SOURCE_DIR "/deploy/experiments")) {
    if (entry.path().extension() != ".textproto") continue;
    const absl::StatusOr<Experiment> experiment = LoadExperiment(entry.path(), {});
    ASSERT_TRUE(experiment.ok()) << experiment.status();
    EXPECT_THAT(AdviceOn(*experiment, 2), IsEmpty()) << entry.path();
  }
}

}  // namespace
}  // namespace troupe
