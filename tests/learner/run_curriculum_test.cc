// Which stage each version implies, worked out by hand; waiting, going on, failing.
#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/run/curriculum.h"
#include "tests/learner/run_harness.h"

namespace troupe::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Policies of every second version are judged, each verdict counts two versions later. 8 steps an update.
Experiment WithCurriculum(int updates) {
  Experiment experiment = TinyExperiment(
      "curriculum { interval_updates: 2 verdict_updates: 2 episodes: 2 "
      "  stages { name: 'calm' promote { statistic: 'waiting' at_most: 5 evaluations: 2 } } "
      "  stages { name: 'rush' promote { after_env_steps: 16 } } }");
  experiment.set_total_env_steps(8 * updates);
  return experiment;
}

// 4, then 6 (not met), then 3 and 2: two in a row with the verdict on version 8, which counts at 10.
const std::map<uint64_t, float> kWaiting = {{2, 4}, {4, 6}, {6, 3}, {8, 2}};
const std::vector<int> kStages = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2};  // of versions 1 … 14

TEST(Curriculum, PromotesAfterEvaluationsInARowThenAfterSteps) {
  TinyRun run;
  TinyProcess process(run, WithCurriculum(14));
  process.server.waiting_of_version = kWaiting;
  const auto result = process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(process.server.stages, kStages);
  EXPECT_EQ(result->last->curriculum->stage, 2);
  EXPECT_EQ(result->last->policy.Scalar(kCurriculumStageScalar), 2);
  // Version 10 would be judged, but the stage it is of goes by steps alone.
  EXPECT_THAT(process.log, Contains("RequestEvaluation 8 on stage 0"));
  EXPECT_THAT(process.log, Not(Contains(HasSubstr("RequestEvaluation 10"))));
  const std::string printed = process.Printed();
  EXPECT_THAT(printed, HasSubstr("curriculum: calm after update 4: waiting 6 over 2 episodes, not met"));
  EXPECT_THAT(printed, HasSubstr("curriculum: calm after update 8: waiting 2 over 2 episodes, met 2 in a row"));
  EXPECT_THAT(printed, HasSubstr("curriculum: calm ended after update 10 (80 steps); episodes begin in rush"));
  EXPECT_THAT(printed, HasSubstr("curriculum: rush ended after update 12 (96 steps); episodes begin in task"));
  EXPECT_THAT(process.Series(), HasSubstr("troupe_curriculum_stage 2"));
  const std::string records = ReadText(run.folder / "metrics.jsonl");
  EXPECT_THAT(records,
              HasSubstr(R"({"stage_verdict":{"stage":"calm","judged_update":8,"statistic":"waiting","value":2.0,)"
                        R"("met":true,"met_in_a_row":2,"episodes":{"count":2)"));
  EXPECT_THAT(records, HasSubstr(R"("curriculum_stage":"rush")"));
}

// The evaluation of version 2 is answered only when the loop has stood still for it: update 3 is not made before.
TEST(Curriculum, NoUpdateIsMadeBeforeTheVerdictItGoesBy) {
  TinyRun run;
  TinyProcess process(run, WithCurriculum(14));
  process.server.waiting_of_version = kWaiting;
  process.server.hold_evaluations = true;
  int stood_still = 0;
  process.parts.stop_requested = [&] {
    if (process.server.held.empty()) return false;
    const uint64_t judged = process.server.held[0].second.policy_version;
    EXPECT_LE(process.algorithm.updates(), judged + 1);
    if (process.algorithm.updates() == judged + 1 && ++stood_still % 2 == 0) {
      process.server.held[0].first(process.server.held[0].second);
      process.server.held.clear();
    }
    return false;
  };
  const auto result = process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(process.server.stages, kStages);
  EXPECT_EQ(stood_still, 8);
}

TEST(Curriculum, ARunThatGoesOnAsksAgainForWhatWasJudgedAndEndsAlike) {
  for (int stop = 1; stop < 14; ++stop) {
    TinyRun run;
    std::vector<int> stages;
    {
      TinyProcess first(run, WithCurriculum(14));
      first.server.waiting_of_version = kWaiting;
      first.parts.stop_requested = [&] { return first.algorithm.updates() == stop; };
      ASSERT_TRUE(first.Run().ok());
      stages = first.server.stages;
    }
    TinyProcess second(run, WithCurriculum(14));
    second.server.waiting_of_version = kWaiting;
    const auto result = second.Run();
    ASSERT_TRUE(result.ok()) << result.status();
    stages.insert(stages.end(), second.server.stages.begin(), second.server.stages.end());
    EXPECT_EQ(stages, kStages) << stop;
    if (stop == 5) {
      EXPECT_EQ(second.log.front(), "RequestEvaluation 4 on stage 0");
    }
    // Each verdict once, also where it was asked for twice.
    int verdicts = 0;
    for (const std::string& line : ReadLines(run.folder / "metrics.jsonl")) verdicts += line.find("stage_verdict") == 2;
    EXPECT_EQ(verdicts, 4) << stop;
  }
}

TEST(Curriculum, StepsEndAStageThatTheStatisticDoesNot) {
  TinyRun run;
  Experiment experiment = TinyExperiment(
      "curriculum { interval_updates: 2 verdict_updates: 2 episodes: 1 "
      "  stages { name: 'calm' promote { statistic: 'waiting' at_most: 5 after_env_steps: 24 } } "
      "  stages { name: 'rush' promote { statistic: 'waiting' at_least: 8 } } }");
  TinyProcess process(run, experiment);
  // Version 2 is judged when the stage ends by its steps at version 3, and forgotten: it would have met both. In the
  // next stage version 4 is judged, 9 by the fake's default, which counts at 6.
  process.server.waiting_of_version = {{2, 1}};
  const auto result = process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(process.server.stages, ElementsAre(0, 0, 1, 1, 1, 2, 2, 2, 2, 2));
}

TEST(Curriculum, AnEvaluationThatFailsIsAskedForAgainThreeTimesInAll) {
  for (const int failures : {2, 3}) {
    TinyRun run;
    TinyProcess process(run, WithCurriculum(14));
    process.server.waiting_of_version = kWaiting;
    int asked = 0;
    process.server.refuse = [&] {
      return ++asked <= failures ? absl::UnavailableError("the simulator is gone") : absl::OkStatus();
    };
    const auto result = process.Run();
    if (failures == 2) {
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(process.server.stages, kStages);
      continue;
    }
    EXPECT_THAT(
        std::string(result.status().message()),
        HasSubstr("the evaluation that the curriculum waits for, of update 2, failed 3 times, the last with: the "
                  "simulator is gone"));
    // What was learned is kept, and a later start asks again.
    TinyProcess second(run, WithCurriculum(14));
    second.server.waiting_of_version = kWaiting;
    ASSERT_TRUE(second.Run().ok());
    EXPECT_EQ(second.log.front(), "RequestEvaluation 2 on stage 0");
    EXPECT_EQ(second.server.stages, std::vector<int>(kStages.begin() + 3, kStages.end()));
  }
}

TEST(Curriculum, BoundsAreMetAsTheySay) {
  StagePromotion promote;
  EXPECT_FALSE(Meets(promote, 0));
  promote.set_at_most(2);
  EXPECT_TRUE(Meets(promote, 2));
  EXPECT_FALSE(Meets(promote, 2.01));
  promote.set_at_least(1);
  EXPECT_TRUE(Meets(promote, 1));
  EXPECT_FALSE(Meets(promote, 0.99));
  EXPECT_FALSE(Meets(promote, std::nan("")));
}

TEST(Curriculum, StatisticsThatAreNotThereAreRefusedByFieldName) {
  EXPECT_TRUE(CheckStageStatistics(WithCurriculum(1).curriculum(), TinyEnvironment()).ok());
  Experiment experiment = WithCurriculum(1);
  experiment.mutable_curriculum()->mutable_stages(0)->mutable_promote()->set_statistic("wating");
  EXPECT_EQ(CheckStageStatistics(experiment.curriculum(), TinyEnvironment()).message(),
            "curriculum.stages.0.promote.statistic: \"wating\" is not a statistic of tiny; did you mean \"waiting\"?");
}

TEST(Curriculum, CheckpointsHoldWhereItStandsAndWhoIsJudged) {
  Checkpoint checkpoint;
  checkpoint.run_id = "id";
  checkpoint.experiment = WithCurriculum(14);
  checkpoint.environment = TinyEnvironment();
  checkpoint.warm_start = "runs/a/actors/best.safetensors: 4 of 4 parameters";
  const float value = 0.5f;
  auto judged = std::make_shared<PolicySnapshot>();
  judged->policy_version = 4;
  judged->tensors = {HostTensor::Float32("team/output.bias", {1}, &value)};
  judged->scalars = {{"curriculum_stage", 1}, {"noise_scale", 0.75}};
  checkpoint.curriculum = CurriculumState{.stage = 1, .began_env_steps = 16, .passed = 3, .judged = judged};
  const auto read = DecodeCheckpoint(EncodeCheckpoint(checkpoint));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_TRUE(read->curriculum.has_value());
  EXPECT_EQ(read->curriculum->stage, 1);
  EXPECT_EQ(read->curriculum->began_env_steps, 16);
  EXPECT_EQ(read->curriculum->passed, 3);
  EXPECT_EQ(read->curriculum->judged->policy_version, 4);
  EXPECT_EQ(read->curriculum->judged->tensors, judged->tensors);
  EXPECT_EQ(read->curriculum->judged->scalars, judged->scalars);
  EXPECT_EQ(read->warm_start, checkpoint.warm_start);
  EXPECT_TRUE(read->policy.scalars.empty());
}

}  // namespace
}  // namespace troupe::testing
