// Which runs a sweep is made of, from rows, --vary and seeds.
#include "learner/sweep/sweep_plan.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/files/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/sweep/sweep_flags.h"
#include "tests/learner/sweep_fixture.h"

namespace troupe::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Message(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

TEST(SweepRows, ARowIsALineAndEveryHoldsForAll) {
  const auto rows = ParseSweepRows("# two\nevery a=1\nfirst\nsecond  b=2,3\n\n  c=4\nevery_one a=2\n", "f");
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 3);
  EXPECT_EQ((*rows)[0].name, "first");
  EXPECT_THAT((*rows)[0].overrides, ElementsAre("a=1"));
  EXPECT_EQ((*rows)[1].name, "second");
  EXPECT_THAT((*rows)[1].overrides, ElementsAre("a=1", "b=2,3", "c=4"));
  EXPECT_THAT((*rows)[2].overrides, ElementsAre("a=1", "a=2"));
}

TEST(SweepRows, WhatIsNoRowIsRefusedWithItsLine) {
  EXPECT_THAT(Message(ParseSweepRows("a b=1\na\n", "f").status()), HasSubstr("f:2: there is a row \"a\" already"));
  EXPECT_THAT(Message(ParseSweepRows("a b\n", "f").status()), HasSubstr("f:1: \"b\": expected FIELD=VALUE"));
  EXPECT_THAT(Message(ParseSweepRows("../a b=1\n", "f").status()), HasSubstr("f:1: \"../a\" cannot be a row's name"));
  EXPECT_THAT(Message(ParseSweepRows("a,b c=1\n", "f").status()), HasSubstr("\"a,b\" cannot be a row's name"));
  EXPECT_THAT(Message(ParseSweepRows("  b=1\n", "f").status()), HasSubstr("f:1: an indented line"));
  EXPECT_THAT(Message(ParseSweepRows("every b=1\n", "f").status()), HasSubstr("f: no row in it"));
}

TEST(SweepRows, VaryingTwiceMakesEachWithEach) {
  auto rows = VaryRows({{}}, "ppo.clip=0.1,0.3");
  ASSERT_TRUE(rows.ok()) << rows.status();
  rows = VaryRows(*rows, "policy.sharing=SHARED,PER_AGENT");
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 4);
  EXPECT_EQ((*rows)[1].name, "ppo.clip=0.1+policy.sharing=PER_AGENT");
  EXPECT_THAT((*rows)[1].overrides, ElementsAre("ppo.clip=0.1", "policy.sharing=PER_AGENT"));
  EXPECT_THAT(Message(VaryRows({{}}, "ppo.clip").status()), HasSubstr("--vary ppo.clip: expected FIELD=A,B"));
  EXPECT_THAT(Message(VaryRows({{}}, "a=1,1").status()), HasSubstr("--vary a=1,1: \"1\" stands there twice"));
  EXPECT_THAT(Message(VaryRows({{}}, "a=x/y").status()), HasSubstr("--rows"));
}

TEST(SweepSeeds, NumbersAndRanges) {
  EXPECT_THAT(*ParseSeeds("3,1-2,7"), ElementsAre(3, 1, 2, 7));
  EXPECT_THAT(Message(ParseSeeds("1,x").status()), HasSubstr("--seeds=1,x: \"x\": expected a whole number"));
  EXPECT_THAT(Message(ParseSeeds("").status()), HasSubstr("--seeds="));
  EXPECT_THAT(Message(ParseSeeds("3-1").status()), HasSubstr("ends before it begins"));
  EXPECT_THAT(Message(ParseSeeds("1-3,2").status()), HasSubstr("2 stands there twice"));
  EXPECT_THAT(Message(ParseSeeds("0-18446744073709551615").status()), HasSubstr("expected at most 10000 seeds"));
}

TEST(SweepPlan, EveryExperimentRowAndSeedOfWhichTheFirstSeedComesFirst) {
  SweptFolder folder;
  folder.AddExperiment("small", SweptExperiment("small"));
  folder.AddExperiment("large", SweptExperiment("large", "5"));
  folder.options.rows = {{"wide", {"ppo.clip=0.3"}}, {"narrow", {"ppo.clip=0.1"}}};
  folder.options.overrides = {"ppo.clip=0.2", "ppo.epochs=2"};
  const auto runs = PlanSweep(folder.options);
  ASSERT_TRUE(runs.ok()) << runs.status();
  std::vector<std::string> names;
  for (const PlannedRun& run : *runs) names.push_back(run.name);
  EXPECT_THAT(names, ElementsAre("small/wide/seed1", "small/narrow/seed1", "large/wide/seed1", "large/narrow/seed1",
                                 "small/wide/seed2", "small/narrow/seed2", "large/wide/seed2", "large/narrow/seed2"));
  const PlannedRun& last = runs->back();
  EXPECT_EQ(last.task, "large");
  EXPECT_EQ(last.row, "narrow");
  EXPECT_EQ(last.experiment.seed(), 2);
  EXPECT_EQ(last.experiment.ppo().clip(), 0.1);
  EXPECT_EQ(last.experiment.ppo().epochs(), 2);
}

TEST(SweepPlan, ExperimentsThatPlayTheSameAreOneTask) {
  SweptFolder folder;
  folder.AddExperiment("one", SweptExperiment("one"));
  folder.AddExperiment("two", SweptExperiment("two"));
  folder.options.seeds = {1};
  const auto runs = PlanSweep(folder.options);
  ASSERT_TRUE(runs.ok()) << runs.status();
  EXPECT_EQ((*runs)[0].task, "one");
  EXPECT_EQ((*runs)[1].task, "one");
  // Both are of mappo: the experiments' names tell them apart.
  EXPECT_EQ((*runs)[0].row, "one");
  EXPECT_EQ((*runs)[1].row, "two");
  EXPECT_EQ((*runs)[1].name, "two/mappo/seed1");
}

TEST(SweepPlan, BadOnesAreNamed) {
  SweptFolder folder;
  folder.AddExperiment("one", SweptExperiment("one"));
  folder.options.rows = {{"odd", {"ppo.clpi=1"}}};
  EXPECT_THAT(Message(PlanSweep(folder.options).status()), HasSubstr("row odd: --set ppo.clpi=1"));
  folder.options.rows = {{"blind", {"evaluation.interval_env_steps=0"}}};
  EXPECT_THAT(Message(PlanSweep(folder.options).status()), HasSubstr("evaluation.interval_env_steps is 0"));
  folder.options.rows = {{}};
  folder.AddExperiment("another", SweptExperiment("one"));
  EXPECT_THAT(Message(PlanSweep(folder.options).status()), HasSubstr("name: \"one\" is that of"));
  folder.options.experiments.resize(1);
  for (uint64_t seed = 3; seed <= kMostSweptRuns + 1; ++seed) folder.options.seeds.push_back(seed);
  EXPECT_THAT(Message(PlanSweep(folder.options).status()), HasSubstr("expected at most 10000"));
}

TEST(SweepPlan, EveryShippedFileOfRowsFitsTheSmallExperiments) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TROUPE_SOURCE_DIR "/deploy/experiments/ablations")) {
    if (entry.path().extension() != ".rows") continue;
    const auto rows = ParseSweepRows(*ReadWholeFile(entry.path()), entry.path());
    ASSERT_TRUE(rows.ok()) << rows.status();
    SweepOptions options;
    options.rows = *rows;
    options.seeds = {1};
    for (const char* name : {"grid_world", "traffic_grid"}) {
      options.experiments.push_back(absl::StrCat(TROUPE_SOURCE_DIR "/deploy/experiments/", name, ".textproto"));
    }
    const auto runs = PlanSweep(options);
    EXPECT_TRUE(runs.ok()) << entry.path() << runs.status();
    ++count;
  }
  EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace troupe::testing
