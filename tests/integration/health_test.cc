// `learner health` from the first moment of a learner's process to the last, and what a Prometheus sees last.
#include <sys/stat.h>
#include <sys/wait.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/own_programs.h"
#include "tests/integration/run_processes.h"
#include "tests/support/loopback.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What `learner health` prints, and its exit status.
std::string Health(int port) {
  Process health("learner", {"health", absl::StrCat("--connect=127.0.0.1:", port)});
  const int wait_status = health.Wait(absl::Seconds(60));
  return absl::StrCat(WEXITSTATUS(wait_status), " ", health.output());
}

// Asks until somebody listens.
std::string FirstHealth(int port) {
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  std::string health = Health(port);
  while (health[0] != '0' && absl::Now() < deadline) health = Health(port);
  return health;
}

TEST(Health, IsAnsweredWhileACheckpointIsLoaded) {
  SmallRun run("SYNCHRONOUS", 2);
  ASSERT_EQ(run.Learner(1)->Wait(), 0) << run.Logs();
  // A checkpoint that does not end: a pipe nobody writes to.
  const std::string newest = run.folder / "run/checkpoints/000000000002.safetensors";
  std::filesystem::remove(newest);
  ASSERT_EQ(mkfifo(newest.c_str(), 0600), 0);
  const int port = FreePort();
  const auto learner = run.Learner(1, {absl::StrCat("--listen=127.0.0.1:", port)});
  EXPECT_EQ(FirstHealth(port), "0 SERVING (starting)\n");
  learner->Signal(SIGKILL);
}

// The last evaluation does not end: a program of the test's stands in for it.
TEST(Health, IsAnsweredDuringTheLastEvaluationAndAfterAStartInTheMiddleOfIt) {
  const OwnPrograms programs("evaluate) [ \"$2\" = --check_only ] || exec sleep 300 ;;");
  SmallRun run("SYNCHRONOUS", 2);
  const int port = FreePort();
  const std::vector<std::string> arguments = {absl::StrCat("--experiment=", run.folder / "e.textproto"),
                                              absl::StrCat("--run_dir=", run.folder / "run"), "--local_workers=1",
                                              absl::StrCat("--listen=127.0.0.1:", port)};
  for (int start = 0; start < 2; ++start) {
    const auto learner = programs.Learner(arguments);
    ASSERT_TRUE(learner->Prints("final evaluation")) << learner->output() << run.Logs();
    EXPECT_EQ(Health(port), "0 SERVING (finishing)\n");
    learner->Signal(SIGTERM);
    EXPECT_EQ(learner->Wait(), 0) << learner->output();
  }
}

TEST(Health, NeedsNoLibTorch) {
  const std::vector<std::string> list = {"LD_TRACE_LOADED_OBJECTS=1"};
  Process command("learner", {"health"}, list), train("learner_train", {}, list);
  command.Wait();
  train.Wait();
  EXPECT_THAT(train.output(), HasSubstr("libtorch"));
  EXPECT_THAT(command.output(), HasSubstr("libgrpc"));
  EXPECT_THAT(command.output(), Not(HasSubstr("libtorch")));
  EXPECT_THAT(command.output(), Not(HasSubstr("libdnnl")));
}

TEST(Health, BadCommandLinesAreNamed) {
  Process nowhere("learner", {"health"});
  EXPECT_EQ(WEXITSTATUS(nowhere.Wait()), 2);
  EXPECT_THAT(nowhere.output(), HasSubstr("health: --connect=HOST:PORT is needed"));
  Process late("learner", {"--run_dir=x", "health"});
  EXPECT_EQ(WEXITSTATUS(late.Wait()), 2);
  EXPECT_THAT(late.output(), HasSubstr("\"health\""));
}

// Learner and worker are scraped; both wait for a scrape that sees that the run is finished.
TEST(Health, AProcessThatIsScrapedSaysThatItsRunIsFinishedBeforeItEnds) {
  SmallRun run("SYNCHRONOUS", 3);
  const int learner_metrics = FreePort(), worker_metrics = FreePort();
  const auto learner = run.Learner(0, {absl::StrCat("--metrics=127.0.0.1:", learner_metrics)});
  ASSERT_TRUE(learner->Prints("run folder")) << learner->output();
  EXPECT_THAT(Scrape(learner_metrics), HasSubstr("\ntroupe_run_finished 0\n"));
  Process worker("actor_worker", {absl::StrCat("--learner=", learner->WordAfter("they connect to ")),
                                  absl::StrCat("--metrics=127.0.0.1:", worker_metrics)});
  ASSERT_TRUE(worker.Prints("metrics on port")) << worker.output();
  EXPECT_THAT(Scrape(worker_metrics), HasSubstr("\ntroupe_run_finished 0\n"));
  // Each waits up to half a minute for its second scrape.
  ASSERT_TRUE(learner->Prints("weights sha256")) << learner->output() << worker.output();
  ASSERT_TRUE(worker.Prints("drained")) << worker.output();
  for (const int port : {learner_metrics, worker_metrics}) {
    std::string page;
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (page.find("\ntroupe_run_finished 1\n") == std::string::npos && absl::Now() < deadline) page = Scrape(port);
    EXPECT_THAT(page, HasSubstr("\ntroupe_run_finished 1\n"));
  }
  EXPECT_EQ(learner->Wait(absl::Seconds(60)), 0) << learner->output();
  EXPECT_EQ(worker.Wait(absl::Seconds(60)), 0) << worker.output();
}

}  // namespace
}  // namespace troupe::testing
