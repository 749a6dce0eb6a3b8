// What a person meets who types something wrong, or asks.
#include <sys/wait.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

struct Outcome {
  int exit_status;
  std::string output;
};

Outcome Learner(const std::vector<std::string>& arguments) {
  Process process("learner", arguments);
  const int wait_status = process.Wait();
  return {WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1, process.output()};
}

TEST(LearnerCommandLine, HelpNamesEveryCommandAndFlag) {
  for (const char* word : {"--help", "help"}) {
    const Outcome outcome = Learner({word});
    EXPECT_EQ(outcome.exit_status, 0);
    for (const char* text :
         {"export",   "inspect",    "--experiment",      "--set",     "--run_dir",       "--local_workers",
          "--listen", "--insecure", "--tls_certificate", "--tls_key", "--tls_client_ca", "--token_file",
          "health",   "--metrics",  "--device",          "--seed",    "--fresh",         "--checkpoint",
          "--output", "Exit status"}) {
      EXPECT_THAT(outcome.output, HasSubstr(text));
    }
  }
}

TEST(LearnerCommandLine, UnknownWordsAreNamedWithTheNearestKnown) {
  Outcome outcome = Learner({"exprot"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("unknown command \"exprot\"; did you mean \"export\"?"));
  outcome = Learner({"--local_worker=2"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("did you mean \"--local_workers\"?"));
  outcome = Learner({"--workers", "2"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("did you mean \"--local_workers\"?"));
  outcome = Learner({"--local_workers=abc"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("--local_workers=abc: expected a whole number"));
  outcome = Learner({"export", "--local_workers=2"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("is a flag of another command"));
  outcome = Learner({"train", "now", "--experiment=x"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("unexpected \"now\""));
  outcome = Learner({});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("--experiment=FILE is needed"));
}

TEST(LearnerCommandLine, BadExperimentNamesFileLineAndField) {
  TemporaryFolder folder;
  std::ofstream(folder / "e.textproto") << "name: 'x'\ntotal_env_steps: 1000\nppo {\n  clpi: 0.1\n}\n";
  const Outcome outcome = Learner({absl::StrCat("--experiment=", folder / "e.textproto")});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr(absl::StrCat(folder / "e.textproto", ":4:")));
  EXPECT_THAT(outcome.output, HasSubstr("clpi"));
  EXPECT_THAT(outcome.output, HasSubstr("clip"));
  EXPECT_EQ(Learner({"--experiment=/nonexistent.textproto"}).exit_status, 2);
}

TEST(LearnerCommandLine, OverridesAreAppliedInOrderAndBadOnesNamed) {
  SmallRun run("SYNCHRONOUS", 1);
  Outcome outcome = Learner({absl::StrCat("--experiment=", run.folder / "e.textproto"), "--set", "ppo.clpi=0.1"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("--set ppo.clpi=0.1"));
  outcome = Learner({absl::StrCat("--experiment=", run.folder / "e.textproto"), "--device=tpu"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("--device=tpu: expected auto, cpu or cuda"));
  const auto learner =
      run.Learner(1, {"--set", "ppo.clip=0.3", "--set=ppo.epochs=1", "--set", "ppo.epochs=3", "--seed=5"});
  EXPECT_EQ(learner->Wait(), 0) << learner->output();
  const std::string stored = ReadText(run.folder / "run/experiment.textproto");
  EXPECT_THAT(stored, HasSubstr("clip: 0.3"));
  EXPECT_THAT(stored, HasSubstr("epochs: 3"));
  EXPECT_THAT(stored, HasSubstr("seed: 5"));
}

TEST(LearnerCommandLine, AddressesOthersCanReachNeedInsecure) {
  SmallRun run("SYNCHRONOUS", 1);
  const Outcome outcome = Learner({absl::StrCat("--experiment=", run.folder / "e.textproto"), "--listen=0.0.0.0:0"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("--listen=0.0.0.0:0"));
  EXPECT_THAT(outcome.output, HasSubstr("--insecure"));
}

// Found before anything is written or started: after the whole training it would be found again at every restart.
TEST(LearnerCommandLine, WhatAnEndNeedsIsCheckedBeforeTheFirstStep) {
  SmallRun run("SYNCHRONOUS", 1);
  const auto refused = [&](const std::string& setting, const std::string& message) {
    const Outcome outcome = Learner({absl::StrCat("--experiment=", run.folder / "e.textproto"), "--local_workers=1",
                                     absl::StrCat("--run_dir=", run.folder / "run"), "--set", setting});
    EXPECT_EQ(outcome.exit_status, 2) << setting << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(run.folder / "run")) << setting;
  };
  refused("environment.name=grid_wrold",
          "environment.name: no environment is called \"grid_wrold\"; did you mean \"grid_world\"?");
  refused("algorithm.name=mapo",
          "--set algorithm.name=mapo: algorithm.name: \"mapo\" is not known, did you mean \"mappo\"?");
  refused("environment.settings.sise=4", "environment.settings.sise");
  refused("evaluation.baselines=optimla",
          "evaluation.baselines: grid_world has no baseline \"optimla\"; did you mean \"optimal\"?");
  refused("evaluation.best_by=sucess",
          "evaluation.best_by: \"sucess\" is not a statistic of grid_world; did you mean \"success\"?");
  const Outcome folder =
      Learner({absl::StrCat("--experiment=", run.folder / "e.textproto"), "--run_dir=/dev/null/run"});
  EXPECT_EQ(folder.exit_status, 2);
  EXPECT_THAT(folder.output, HasSubstr("--run_dir=/dev/null/run: cannot be written: /dev/null: is not a folder"));
}

// Workers elsewhere may have the simulator that the learner's machine lacks.
TEST(LearnerCommandLine, AFinalTableThatCannotBePlayedHereIsToldAtTheStart) {
  SmallRun run("SYNCHRONOUS", 1);
  const std::vector<std::string> arguments = {absl::StrCat("--experiment=", run.folder / "e.textproto"),
                                              absl::StrCat("--run_dir=", run.folder / "run"),
                                              "--set",
                                              "environment.name=sumo",
                                              "--set",
                                              "environment.settings.sumo_home=/nonexistent"};
  std::string text = ReadText(run.folder / "e.textproto");
  text.replace(text.find("settings { key: 'size' value: '3' }"), 35, "");
  std::ofstream(run.folder / "e.textproto") << text;
  Process learner("learner", arguments);
  ASSERT_TRUE(
      learner.Prints("the table against the baselines at the end cannot be played on this machine: "
                     "environment.settings.sumo_home: no runnable /nonexistent/bin/sumo"))
      << learner.output();
  learner.Signal(SIGTERM);
  EXPECT_EQ(learner.Wait(absl::Seconds(30)), 0);
  // Workers of this machine could not play either.
  std::vector<std::string> with_workers = arguments;
  with_workers.push_back("--local_workers=1");
  const Outcome outcome = Learner(with_workers);
  EXPECT_EQ(outcome.exit_status, 1);
  EXPECT_THAT(outcome.output, HasSubstr("local workers cannot play on this machine: environment.settings.sumo_home"));
}

TEST(CommandLine, VersionIsTheProjectsAndEveryCommandHelps) {
  for (const char* program : {"learner", "actor_worker"}) {
    Process version(program, {"--version"});
    EXPECT_EQ(version.Wait(), 0);
    EXPECT_THAT(version.output(), HasSubstr(absl::StrCat(program, " of Troupe 0.")));
    EXPECT_THAT(version.output(), ::testing::Not(HasSubstr("Debug")));
    const bool learner = program == std::string("learner");
    EXPECT_EQ(version.output().find("LibTorch 2.") != std::string::npos, learner);
    for (const char* command : learner
                                   ? std::vector<const char*>{"train", "export", "inspect", "health"}
                                   : std::vector<const char*>{"work", "evaluate", "replay", "act", "environments"}) {
      Process help(program, {command, "--help"});
      EXPECT_EQ(help.Wait(), 0);
      EXPECT_THAT(help.output(), HasSubstr(absl::StrCat("usage: ", program, " ", command)));
      EXPECT_THAT(help.output(), HasSubstr("\nexample"));
    }
  }
}

TEST(LearnerCommandLine, InspectAndExportReadWhatTrainWrote) {
  SmallRun run("SYNCHRONOUS", 2);
  const auto learner = run.Learner(1);
  ASSERT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  Outcome outcome = Learner({"inspect", run.folder / "run/checkpoints/000000000002.safetensors"});
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_THAT(outcome.output, HasSubstr("env_steps: 512\n"));
  EXPECT_THAT(outcome.output, HasSubstr("policy/walkers/output.weight"));
  outcome = Learner({"export", absl::StrCat("--run_dir=", run.folder / "run"), "--checkpoint=last",
                     absl::StrCat("--output=", run.folder / "actors.safetensors")});
  EXPECT_EQ(outcome.exit_status, 0) << outcome.output;
  EXPECT_EQ(ReadText(run.folder / "actors.safetensors"), ReadText(run.folder / "run/actors/final.safetensors"));
  outcome = Learner({"inspect", "/nonexistent"});
  EXPECT_EQ(outcome.exit_status, 1);
  EXPECT_THAT(outcome.output, HasSubstr("/nonexistent"));
}

}  // namespace
}  // namespace troupe::testing
