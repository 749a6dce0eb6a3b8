#include "common/config/curriculum_settings.h"

#include "absl/strings/str_cat.h"
#include "common/config/experiment_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using testing::HasSubstr;

constexpr char kHead[] = "name: 'x'\ntotal_env_steps: 10\nenvironment { name: 'memory' }\n";

std::string ErrorOf(const std::string& curriculum, const std::vector<std::string>& overrides = {}) {
  return std::string(ParseExperiment(kHead + curriculum, "e", overrides).status().message());
}

constexpr char kTwoStages[] =
    "curriculum {\n"
    "  stages { name: 'short' settings { key: 'length' value: '2' }\n"
    "    promote { statistic: 'right' at_least: 0.9 evaluations: 2 } }\n"
    "  stages { name: 'longer' promote { after_env_steps: 1000 } }\n"
    "}\n";

TEST(CurriculumSettingsTest, StagesAreReadWithTheirDefaultsAndNames) {
  const auto experiment = ParseExperiment(absl::StrCat(kHead, kTwoStages), "e", {});
  ASSERT_TRUE(experiment.ok()) << experiment.status();
  const CurriculumSettings& curriculum = experiment->curriculum();
  EXPECT_EQ(curriculum.stages(0).promote().evaluations(), 2);
  EXPECT_EQ(curriculum.stages(1).promote().evaluations(), 1);
  EXPECT_EQ(curriculum.interval_updates(), 10);
  EXPECT_EQ(StageName(curriculum, 0), "short");
  EXPECT_EQ(StageName(curriculum, 1), "longer");
  EXPECT_EQ(StageName(curriculum, 2), "task");
  const auto again = ParseExperiment(FormatExperiment(*experiment), "again", {});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(FormatExperiment(*again), FormatExperiment(*experiment));
}

TEST(CurriculumSettingsTest, OverridesNameAStageByItsNumber) {
  const auto experiment =
      ParseExperiment(absl::StrCat(kHead, kTwoStages), "e",
                      {"curriculum.stages.0.settings.length=7", "curriculum.stages.1.promote.after_env_steps=20",
                       "curriculum.stages.2.name=longest", "curriculum.stages.2.promote.after_env_steps=5"});
  ASSERT_TRUE(experiment.ok()) << experiment.status();
  EXPECT_EQ(experiment->curriculum().stages(0).settings().at("length"), "7");
  EXPECT_EQ(experiment->curriculum().stages(1).promote().after_env_steps(), 20);
  EXPECT_EQ(experiment->curriculum().stages(2).name(), "longest");
  EXPECT_THAT(ErrorOf(kTwoStages, {"curriculum.stages.4.name=far"}),
              HasSubstr("--set curriculum.stages.4.name=far: curriculum.stages.4.name: expected stages.NUMBER.FIELD "
                        "with a number in [0, 2]"));
  EXPECT_THAT(ErrorOf(kTwoStages, {"curriculum.stages.name=far"}), HasSubstr("stages.NUMBER.FIELD"));
}

TEST(CurriculumSettingsTest, RefusalsNameLineAndField) {
  EXPECT_EQ(ErrorOf("curriculum { stages { promote { after_env_steps: 1 } } }"),
            "e:4:14: curriculum.stages.0.name: absent, and there is no default");
  EXPECT_EQ(ErrorOf("curriculum {\n stages { name: 'a'\n promote { evaluations: 0 } } }"),
            "e:6:12: curriculum.stages.0.promote.evaluations: 0 is outside [1, 1000]");
  EXPECT_THAT(ErrorOf("curriculum { stages { name: 'a' } }"),
              HasSubstr("curriculum.stages.0.promote: nothing ends this stage, expected statistic with a bound, or"));
  EXPECT_THAT(ErrorOf("curriculum { stages { name: 'a' promote { statistic: 'right' } } }"),
              HasSubstr("curriculum.stages.0.promote.statistic: \"right\" without a bound"));
  EXPECT_THAT(ErrorOf("curriculum { stages { name: 'a' promote { at_most: 3 after_env_steps: 1 } } }"),
              HasSubstr("curriculum.stages.0.promote.statistic: absent, but there is a bound"));
  EXPECT_THAT(ErrorOf("curriculum { stages { name: 'a' promote { statistic: 's' at_least: 3 at_most: 2 } } }"),
              HasSubstr("curriculum.stages.0.promote.at_least: 3 is above at_most, which is 2"));
  EXPECT_THAT(ErrorOf("curriculum { stages { name: 'a' promote { after_env_steps: 1 } } stages { name: 'a' promote { "
                      "after_env_steps: 1 } } }"),
              HasSubstr("curriculum.stages.1.name: \"a\" is another stage's name too"));
  EXPECT_THAT(ErrorOf("curriculum { stages { name: 'task' promote { after_env_steps: 1 } } }"),
              HasSubstr("curriculum.stages.0.name: \"task\" is what follows the stages"));
  EXPECT_THAT(ErrorOf("curriculum { interval_updates: 3 verdict_updates: 4 }"),
              HasSubstr("curriculum.verdict_updates: 4 is above interval_updates, which is 3"));
  EXPECT_THAT(ErrorOf("curriculum { stages { name: 'a' promte { after_env_steps: 1 } } }"), HasSubstr("promte"));
}

TEST(CurriculumSettingsTest, StagesAreBounded) {
  std::string stages;
  for (int i = 0; i <= kMaxStages; ++i) {
    stages += " stages { name: 's" + std::to_string(i) + "' promote { after_env_steps: 1 } }";
  }
  EXPECT_THAT(ErrorOf("curriculum {" + stages + "}"), HasSubstr("curriculum.stages: 65 stages, expected at most 64"));
}

}  // namespace
}  // namespace troupe
