#include <signal.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/processes/piped_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/local_workers/restart_policy.h"
#include "learner/local_workers/worker_supervisor.h"
#include "tests/learner/run_harness.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

// Polls for what another thread or process is about to do; the deadline is only there for a test that fails.
template <typename Condition>
bool Eventually(Condition condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

struct Supervised {
  explicit Supervised(const std::string& script, RestartLimits limits = {}) : console(out, false) {
    limits.first_delay = absl::Milliseconds(1);
    options.command = {"/bin/sh", "-c", script, "worker"};
    options.num_workers = 1;
    options.log_folder = folder.path();
    options.limits = limits;
  }
  ~Supervised() { std::fclose(out); }
  void Start() { supervisor = std::make_unique<WorkerSupervisor>(options, &console, &metrics); }
  std::string Log() { return ReadText(folder / "0.log"); }

  TemporaryFolder folder;
  std::FILE* out = std::tmpfile();
  Console console;
  Metrics metrics;
  WorkerSupervisorOptions options;
  std::unique_ptr<WorkerSupervisor> supervisor;
};

TEST(RestartPolicy, DelayDoublesUpToTheLongestAndStartsAnewAfterACalmTime) {
  RestartPolicy policy(2, {});
  const SteadyTime start;
  SteadyTime now = start;
  for (const int seconds : {1, 2, 4, 8, 16, 30, 30}) {
    EXPECT_EQ(*policy.OnEnd(0, now, now + absl::Milliseconds(10)), absl::Seconds(seconds));
  }
  EXPECT_EQ(*policy.OnEnd(1, now, now), absl::Seconds(1));
  EXPECT_EQ(*policy.OnEnd(0, now, now + absl::Minutes(2)), absl::Seconds(1));
}

TEST(RestartPolicy, NoMoreThanTheLimitWithinTheWindow) {
  RestartLimits limits;
  limits.max_restarts = 3;
  RestartPolicy policy(2, limits);
  SteadyTime now;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(policy.OnEnd(i % 2, now, now + absl::Minutes(i)).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(policy.OnEnd(0, now, now + absl::Minutes(59)).status()));
  EXPECT_TRUE(policy.OnEnd(0, now, now + absl::Minutes(61)).ok());
}

TEST(WorkerSupervisor, ACrashedWorkerIsStartedAgainAndThatIsCounted) {
  // The script counts its starts in a file; from the third on it stays.
  Supervised supervised(
      "echo start >> \"$0.starts\"; echo about to; [ $(wc -l < \"$0.starts\") -ge 3 ] && sleep 600; exit 7");
  supervised.options.command[3] = supervised.folder / "w";
  supervised.Start();
  EXPECT_TRUE(Eventually([&] { return ReadLines(supervised.folder / "w.starts").size() >= 3; }));
  EXPECT_TRUE(supervised.supervisor->health().ok());
  supervised.supervisor->Stop(absl::ZeroDuration());
  const std::string printed = ReadText(supervised.folder / "0.log");
  EXPECT_EQ(printed, "about to\nabout to\nabout to\n");
  std::rewind(supervised.out);
  EXPECT_THAT(prometheus::TextSerializer().Serialize(supervised.metrics.registry()->Collect()),
              HasSubstr("troupe_worker_restarts_total{worker=\"0\"} 2"));
}

TEST(WorkerSupervisor, TellsHowAWorkerEndedAndItsLastLine) {
  Supervised supervised("echo segment 7 not found; kill -SEGV $$; sleep 600");
  supervised.options.limits.max_restarts = 1;
  supervised.Start();
  ASSERT_TRUE(Eventually([&] { return !supervised.supervisor->health().ok(); }));
  const std::string message(supervised.supervisor->health().message());
  EXPECT_THAT(message, HasSubstr("restarted 1 times within 1h"));
  EXPECT_THAT(message, HasSubstr("was ended by signal 11"));
  EXPECT_THAT(message, HasSubstr("its last line: \"segment 7 not found\""));
  EXPECT_THAT(message, HasSubstr("/0.log"));
}

TEST(WorkerSupervisor, AWorkerThatSaysItIsNoUseIsNotStartedAgain) {
  Supervised supervised("echo unknown environment; exit 3");
  supervised.Start();
  ASSERT_TRUE(Eventually([&] { return !supervised.supervisor->health().ok(); }));
  EXPECT_THAT(std::string(supervised.supervisor->health().message()),
              HasSubstr("local worker 0 exited with status 3, its last line: \"unknown environment\""));
}

TEST(WorkerSupervisor, AProgramThatIsNotThereIsAnError) {
  Supervised supervised("");
  supervised.options.command = {"/nonexistent/actor_worker"};
  supervised.Start();
  ASSERT_TRUE(Eventually([&] { return !supervised.supervisor->health().ok(); }));
  EXPECT_THAT(std::string(supervised.supervisor->health().message()),
              HasSubstr("/nonexistent/actor_worker: No such file"));
}

TEST(WorkerSupervisor, StopLetsAWorkerEndInPeaceAndThenForcesIt) {
  Supervised peaceful("trap 'echo told; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  peaceful.Start();
  ASSERT_TRUE(Eventually([&] { return peaceful.Log() == "ready\n"; }));
  peaceful.supervisor->Stop(absl::ZeroDuration());
  EXPECT_EQ(peaceful.Log(), "ready\ntold\n");

  Supervised stubborn("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  stubborn.Start();
  ASSERT_TRUE(Eventually([&] { return stubborn.Log() == "ready\n"; }));
  stubborn.supervisor->Stop(absl::ZeroDuration());
  std::rewind(stubborn.out);
  EXPECT_EQ(std::fgetc(stubborn.out), EOF);
}

TEST(WorkerSupervisor, WorkersThatEndWhileStoppingAreNotStartedAgain) {
  Supervised supervised("echo ready; while [ ! -e \"$0\" ]; do sleep 0.01; done; exit 0");
  supervised.options.command[3] = supervised.folder / "go";
  supervised.Start();
  ASSERT_TRUE(Eventually([&] { return supervised.Log() == "ready\n"; }));
  NamedThread stopper("stopper", [&] { supervised.supervisor->Stop(absl::Minutes(5)); });
  std::ofstream(supervised.folder / "go") << "go";
  stopper.Join();
  EXPECT_THAT(supervised.Log(), HasSubstr("ready\n"));
}

TEST(WorkerLog, StaysWithinItsBoundsAndKeepsTheNewest) {
  TemporaryFolder folder;
  {
    WorkerLog log(folder / "0.log", 1000);
    for (int i = 0; i < 1000; ++i) log.Append(absl::StrCat("line ", i, "\n"));
    EXPECT_EQ(log.LastLine(), "line 999");
  }
  EXPECT_LE(std::filesystem::file_size(folder / "0.log"), 1000);
  EXPECT_LE(std::filesystem::file_size(folder / "0.log.1"), 1000);
  EXPECT_EQ(folder.Names().size(), 2);
  EXPECT_THAT(ReadText(folder / "0.log.1") + ReadText(folder / "0.log"), HasSubstr("line 950\nline 951\n"));
}

TEST(PipedProcess, DiesWithTheThreadThatStartedIt) {
  std::unique_ptr<PipedProcess> child;
  NamedThread thread("starter", [&] {
    child = *PipedProcess::Start({"/bin/sh", "-c", "echo up; exec sleep 600"});
    std::string output;
    EXPECT_TRUE(Eventually([&] { return child->ReadOutput(&output) && output == "up\n"; }));
  });
  thread.Join();
  EXPECT_EQ(DescribeWaitStatus(child->Wait()), "was ended by signal 9 (Killed)");
}

TEST(PipedProcess, HasAnEmptySignalMaskAndNoFilesOfItsParent) {
  TemporaryFolder folder;
  std::FILE* open_file = std::fopen((folder / "secret").c_str(), "w");
  const auto child = *PipedProcess::Start({"/bin/sh", "-c", "grep SigBlk /proc/self/status; ls -l /proc/self/fd"});
  child->Wait();
  std::string text;
  EXPECT_FALSE(child->ReadOutput(&text));
  EXPECT_THAT(text, HasSubstr("SigBlk:\t0000000000000000"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("secret")));
  std::fclose(open_file);
}

}  // namespace
}  // namespace troupe::testing
