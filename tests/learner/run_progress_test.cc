#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/files/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/reporting/banner.h"
#include "learner/reporting/progress.h"
#include "learner/run/final_evaluation.h"
#include "learner/run/run_folder.h"
#include "tests/learner/run_harness.h"

namespace troupe::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ReadBack(std::FILE* file) {
  std::rewind(file);
  std::string text;
  for (int letter; (letter = std::fgetc(file)) != EOF;) text.push_back(static_cast<char>(letter));
  return text;
}

TEST(Progress, LineSaysWhereTheRunStands) {
  ProgressFigures figures;
  figures.env_steps = 1'250'000;
  figures.total_env_steps = 5'000'000;
  figures.env_steps_per_second = 81'240;
  figures.episode_return = -12.34;
  figures.evaluation = {"mean_waiting_seconds", 41.72};
  figures.policy_lag = 1;
  figures.workers = 2;
  EXPECT_EQ(
      FormatProgress(figures),
      "1.25 M of 5.00 M steps  25.0 %   81.2 k/s   return -12.34   evaluation mean_waiting_seconds 41.72   lag 1.0   "
      "2 workers   0:46 left");
}

TEST(Progress, LineLeavesOutWhatIsNotKnownYet) {
  ProgressFigures figures;
  figures.total_env_steps = 1000;
  figures.workers = 1;
  EXPECT_EQ(FormatProgress(figures), "0 of 1.00 k steps  0.0 %   lag 0.0   1 worker");
}

TEST(Progress, CountsAndDurationsReadLikeAPersonWritesThem) {
  EXPECT_EQ(FormatCount(950), "950");
  EXPECT_EQ(FormatCount(999.6), "1.00 k");
  EXPECT_EQ(FormatCount(12'345), "12.3 k");
  EXPECT_EQ(FormatCount(123'456'789), "123 M");
  EXPECT_EQ(FormatDuration(59.6), "1:00");
  EXPECT_EQ(FormatDuration(3 * 3600 + 7 * 60 + 41), "3:07:41");
  EXPECT_EQ(WithThousands(1234567), "1,234,567");
  EXPECT_EQ(WithThousands(123), "123");
}

TEST(RateMeter, ForgetsWhatIsLongAgo) {
  RateMeter rate;
  absl::Duration now = absl::Hours(1);
  EXPECT_EQ(rate.PerSecond(), 0);
  uint64_t steps = 0;
  for (int i = 0; i < 100; ++i) rate.Add(now += absl::Seconds(1), steps += 10);
  for (int i = 0; i < 31; ++i) rate.Add(now += absl::Seconds(1), steps += 500);
  EXPECT_EQ(rate.PerSecond(), 500);
}

TEST(Console, TerminalRewritesTheLineAndOrdinaryLinesReplaceIt) {
  std::FILE* out = std::tmpfile();
  {
    Console console(out, /*is_terminal=*/true);
    const SteadyTime now;
    console.Progress("one", now);
    console.Progress("too soon", now + absl::Milliseconds(100));
    console.Progress("two", now + absl::Milliseconds(300));
    console.Line("an event");
    console.Progress("three", now + absl::Seconds(1));
  }
  EXPECT_EQ(ReadBack(out), "\r\x1b[2Kone\r\x1b[2Ktwo\r\x1b[2Kan event\n\r\x1b[2Kthree\n");
  std::fclose(out);
}

TEST(Console, ElsewhereProgressIsALineEveryTenSecondsAndTheLogHasNoneOfIt) {
  TemporaryFolder folder;
  std::FILE* out = std::tmpfile();
  {
    Console console(out, /*is_terminal=*/false);
    ASSERT_TRUE(console.OpenLog(folder / "log.txt").ok());
    const SteadyTime now;
    for (int second = 0; second <= 20; ++second)
      console.Progress(absl::StrCat("at ", second), now + absl::Seconds(second));
    console.Warning("look here");
  }
  EXPECT_EQ(ReadBack(out), "at 0\nat 10\nat 20\nwarning: look here\n");
  const auto lines = ReadLines(folder / "log.txt");
  ASSERT_EQ(lines.size(), 1);
  EXPECT_THAT(lines[0], HasSubstr("Z warning: look here"));
  std::fclose(out);
}

TEST(RunFolder, OneLearnerAtATime) {
  TemporaryFolder folder;
  const std::string path = folder / "run";
  auto first = RunFolder::Open(path);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = RunFolder::Open(path);
  EXPECT_EQ(second.status().message(),
            absl::StrCat(path, ": another learner works in this run folder (process ", getpid(), ")"));
  ASSERT_TRUE((*first)->Claim("id-1", TinyExperiment()).ok());
  first->reset();
  const auto third = RunFolder::Open(path);
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_EQ((*third)->run_id(), "id-1");
}

TEST(RunFolder, ALostLockFileLetsNoSecondLearnerIn) {
  TemporaryFolder folder;
  const std::string path = folder / "run";
  auto first = RunFolder::Open(path);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(std::filesystem::remove(path + "/lock"));
  EXPECT_EQ(RunFolder::Open(path).status().message(), path + ": another learner works in this run folder");
  first->reset();
  EXPECT_TRUE(RunFolder::Open(path).ok());
}

TEST(RunFolder, WhatAKilledLearnerLeftHalfWrittenIsRemoved) {
  TemporaryFolder folder;
  for (const char* name : {"run/checkpoints", "run/actors"}) ASSERT_TRUE(MakeFolder(folder / name).ok());
  const std::string left[] = {"run/checkpoints/best.safetensors.tmp.12.3", "run/actors/last.safetensors.tmp.12.4",
                              "run/experiment.textproto.tmp.12.0", "run/evaluation.json.tmp.13.0"};
  for (const std::string& name : left) std::ofstream(folder / name) << "half";
  std::ofstream(folder / "run/notes.tmp.txt") << "somebody's own";
  std::ofstream(folder / "run/checkpoints/best.safetensors") << "whole";
  ASSERT_TRUE(RunFolder::Open(folder / "run").ok());
  for (const std::string& name : left) EXPECT_FALSE(std::filesystem::exists(folder / name)) << name;
  EXPECT_TRUE(std::filesystem::exists(folder / "run/notes.tmp.txt"));
  EXPECT_TRUE(std::filesystem::exists(folder / "run/checkpoints/best.safetensors"));
}

TEST(RunFolder, IsNobodysUntilItIsClaimed) {
  TemporaryFolder folder;
  EXPECT_EQ((*RunFolder::Open(folder / "run"))->run_id(), "");
  EXPECT_FALSE(std::filesystem::exists(folder / "run/run_id"));
  EXPECT_FALSE(std::filesystem::exists(folder / "run/experiment.textproto"));
}

TEST(FinalEvaluation, CommandIsWhatAPersonWouldType) {
  EvaluationSettings settings = TinyExperiment().evaluation();
  settings.add_baselines("fixed");
  settings.add_baselines("actuated");
  EXPECT_THAT(EvaluateCommand("bin/actor_worker", settings, "a.safetensors", "e.json"),
              ElementsAre("bin/actor_worker", "evaluate", "--actors=a.safetensors", "--episodes=20",
                          "--first_seed=2000000", "--baselines=fixed,actuated", "--json=e.json",
                          "--allow_machine_settings", "--progress_seconds=0.2", "--greedy"));
  settings.set_sample_actions(true);
  EXPECT_THAT(EvaluateCommand("bin/actor_worker", settings, "a.safetensors", "e.json"), Contains("--sample"));
}

TEST(FinalEvaluation, OutputGoesToConsoleAndFileAndAFailureIsTold) {
  TemporaryFolder folder;
  std::FILE* out = std::tmpfile();
  Console console(out, false);
  const auto never = [] { return false; };
  ASSERT_TRUE(
      RunToConsole({"/bin/sh", "-c", "echo table; echo noted >&2; printf end"}, folder / "e.txt", &console, never)
          .ok());
  EXPECT_EQ(ReadBack(out), "table\nnoted\nend\n");
  EXPECT_EQ(ReadText(folder / "e.txt"), "table\nnoted\nend\n");
  const absl::Status failed = RunToConsole({"/bin/sh", "-c", "exit 3"}, folder / "e.txt", &console, never);
  EXPECT_THAT(std::string(failed.message()), HasSubstr("exited with status 3"));
  EXPECT_TRUE(
      absl::IsCancelled(RunToConsole({"/bin/sh", "-c", "sleep 600"}, folder / "e.txt", &console, [] { return true; })));
  std::fclose(out);
}

TEST(FinalEvaluation, ProgressIsShownAndNotKept) {
  TemporaryFolder folder;
  std::FILE* out = std::tmpfile();
  Console console(out, false);
  ASSERT_TRUE(RunToConsole({"/bin/sh", "-c", "echo evaluated 3 of 40 episodes >&2; echo table"}, folder / "e.txt",
                           &console, [] { return false; })
                  .ok());
  EXPECT_EQ(ReadBack(out), "evaluated 3 of 40 episodes\ntable\n");
  EXPECT_EQ(ReadText(folder / "e.txt"), "table\n");
  std::fclose(out);
}

TEST(Sha256, MatchesThePublishedExamples) {
  // FIPS 180-4's example messages; the million letters cross many blocks.
  Sha256 empty, abc, many;
  abc.Add("abc");
  for (int i = 0; i < 1000; ++i) many.Add(std::string(1000, 'a'));
  EXPECT_EQ(empty.Finish(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(abc.Finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(many.Finish(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, WeightsDifferByOneBitButNotByVersion) {
  CallLog log;
  PolicySnapshot weights = FakeAlgorithm(TinyExperiment(), &log).ExportPolicy({.update = 1});
  const std::string before = WeightsSha256(weights);
  weights.policy_version = 2;
  EXPECT_EQ(WeightsSha256(weights), before);
  weights.tensors.back().bytes.back() ^= 1;
  EXPECT_NE(WeightsSha256(weights), before);
}

}  // namespace
}  // namespace troupe::testing
