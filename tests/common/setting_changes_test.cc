#include "common/config/setting_changes.h"

#include "common/config/experiment_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Experiment Complete() {
  Experiment experiment = MinimalExperiment();
  FillDefaults(&experiment);
  return experiment;
}

TEST(SettingChangesTest, NamesEveryFieldThatDiffersWithBothValues) {
  const Experiment before = Complete();
  EXPECT_THAT(FindSettingChanges(before, before), IsEmpty());
  Experiment after = before;
  after.mutable_ppo()->set_clip(0.25);
  after.mutable_policy()->set_hidden_sizes(0, 16);
  after.mutable_collection()->set_mode(SYNCHRONOUS);
  (*after.mutable_environment()->mutable_settings())["size"] = "4";
  EXPECT_EQ(
      FormatChanges(FindSettingChanges(before, after)),
      "collection.mode: PIPELINED -> SYNCHRONOUS; policy.hidden_sizes: [64, 64] -> [16, 64]; ppo.clip: 0.2 -> 0.25; "
      "environment.settings.size: (none) -> \"4\"");
}

TEST(SettingChangesTest, AGroupsPolicyIsComparedWithWhatItWasWithoutARow) {
  const Experiment before = Complete();
  Experiment after = before;
  (*after.mutable_group_policies())["walkers"] = before.policy();
  EXPECT_THAT(FindSettingChanges(before, after), IsEmpty());
  (*after.mutable_group_policies())["walkers"].set_sharing(PER_AGENT);
  const auto changes = FindSettingChanges(before, after);
  EXPECT_EQ(FormatChanges(changes), "group_policies.walkers.sharing: SHARED -> PER_AGENT");
  EXPECT_EQ(changes[0].resume, SettingOptions::REFUSED);
}

TEST(SettingChangesTest, StagesAreComparedOneByOne) {
  Experiment before = Complete();
  CurriculumStage& easy = *before.mutable_curriculum()->add_stages();
  easy.set_name("easy");
  (*easy.mutable_settings())["size"] = "3";
  easy.mutable_promote()->set_after_env_steps(100);
  FillDefaults(&before);
  Experiment after = before;
  EXPECT_THAT(FindSettingChanges(before, after), IsEmpty());
  CurriculumStage& changed = *after.mutable_curriculum()->mutable_stages(0);
  (*changed.mutable_settings())["size"] = "4";
  changed.mutable_promote()->set_after_env_steps(200);
  const auto changes = FindSettingChanges(before, after);
  EXPECT_EQ(FormatChanges(changes),
            "curriculum.stages.0.promote.after_env_steps: 100 -> 200; curriculum.stages.0.settings.size: \"3\" -> "
            "\"4\"");
  EXPECT_EQ(changes[0].resume, SettingOptions::TOLD);
  EXPECT_EQ(changes[1].resume, SettingOptions::RESUME_UNSPECIFIED);  // refused
  after.mutable_curriculum()->clear_stages();
  EXPECT_EQ(FormatChanges(FindSettingChanges(before, after)), "curriculum.stages: 1 stages -> 0 stages");
}

}  // namespace
}  // namespace troupe
