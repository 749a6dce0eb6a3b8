// A learner that loses its door, and gets it back, while it trains.
#include <sys/resource.h>

#include <filesystem>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/run_processes.h"
#include "tests/integration/secured_run.h"
#include "tests/support/loopback.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

int OpenFiles(pid_t pid) {
  int count = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/fd"))) {
    ++count;
  }
  return count;
}

// What gRPC's own listener does not survive: accept() that finds no descriptor.
TEST(DeafListener, ALearnerThatRanOutOfDescriptorsHearsWhoComesOnceItHasSome) {
  SmallRun run("PIPELINED", 1000000);
  const auto learner = run.Learner(0, {"--listen=127.0.0.1:0", "--metrics=127.0.0.1:0", "--expected_workers=1"});
  ASSERT_TRUE(learner->Prints("metrics      ")) << learner->output();
  const std::string address = learner->WordAfter("they connect to "), metrics = learner->WordAfter("metrics      ");
  const Process first("actor_worker", {absl::StrCat("--learner=", address)});
  ASSERT_TRUE(run.Reaches(2)) << learner->output();
  int port = 0;
  ASSERT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
  rlimit before = {};
  ASSERT_EQ(prlimit(learner->pid(), RLIMIT_NOFILE, nullptr, &before), 0);
  // Some that are open have higher numbers: fewer are left than this says.
  const rlimit tight = {static_cast<rlim_t>(OpenFiles(learner->pid())), before.rlim_max};
  ASSERT_EQ(prlimit(learner->pid(), RLIMIT_NOFILE, &tight, nullptr), 0);
  std::vector<int> waiting;
  for (int i = 0; i < 8; ++i) waiting.push_back(Connect(port));
  // The metrics' own connections are not taken either meanwhile.
  const size_t updates = run.RecordedUpdates().size();
  EXPECT_TRUE(run.Reaches(updates + 3)) << "who is connected goes on";
  EXPECT_TRUE(learner->Prints("too many files and connections are open")) << learner->output();
  ASSERT_EQ(prlimit(learner->pid(), RLIMIT_NOFILE, &before, nullptr), 0);
  EXPECT_GE(Rejected(metrics, "no_descriptors"), 1);
  EXPECT_TRUE(AskOnce(address, {}).ok());
  const Process second("actor_worker", {absl::StrCat("--learner=", address)});
  EXPECT_TRUE(learner->Prints("worker-2")) << learner->output();
  for (const int each : waiting) close(each);
  learner->Signal(SIGTERM);
  EXPECT_EQ(learner->Wait(), 0) << learner->output();
}

TEST(DeafListener, ALearnerWhoseUnixSocketIsRemovedNoticesAndListensAnew) {
  SmallRun run("PIPELINED", 1000000);
  const std::string path = run.folder / "learner.sock", address = absl::StrCat("unix:", path);
  const auto learner =
      run.Learner(0, {absl::StrCat("--listen=", address), "--metrics=127.0.0.1:0", "--expected_workers=1"});
  ASSERT_TRUE(learner->Prints("metrics      ")) << learner->output();
  const Process first("actor_worker", {absl::StrCat("--learner=", address)});
  ASSERT_TRUE(run.Reaches(2)) << learner->output();
  std::filesystem::remove(path);
  EXPECT_FALSE(AskOnce(address, {}).ok());
  EXPECT_TRUE(learner->Prints("it is opened again")) << learner->output();
  EXPECT_TRUE(Eventually([&] { return AskOnce(address, {}).ok(); })) << learner->output();
  EXPECT_THAT(learner->output(), HasSubstr(absl::StrCat("nobody who comes to ", address, " is heard")));
  const std::string metrics = learner->WordAfter("metrics      ");
  EXPECT_TRUE(Eventually([&] { return absl::StrContains(ReadMetrics(metrics), "\ntroupe_listening 1\n"); }));
  EXPECT_THAT(ReadMetrics(metrics), HasSubstr("\ntroupe_listener_reopened_total 1\n"));
  const size_t updates = run.RecordedUpdates().size();
  EXPECT_TRUE(run.Reaches(updates + 3)) << "who is connected goes on";
  learner->Signal(SIGTERM);
  EXPECT_EQ(learner->Wait(), 0) << learner->output();
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace troupe::testing
