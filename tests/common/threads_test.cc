#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "common/threads/named_thread.h"
#include "common/threads/shutdown.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(NamedThreadTest, CarriesItsNameCutToWhatTheKernelTakes) {
  char name[32] = "";
  NamedThread("a_name_longer_than_fifteen", [&] { pthread_getname_np(pthread_self(), name, sizeof(name)); }).Join();
  EXPECT_STREQ(name, "a_name_longer_t");
}

TEST(NamedThreadTest, JoinsOnDestructionAndBeforeBeingReplaced) {
  std::atomic<int> done = 0;  // the second thread begins before the first is joined
  {
    NamedThread thread("first", [&] { ++done; });
    thread = NamedThread("second", [&] { ++done; });
  }
  EXPECT_EQ(done, 2);
  NamedThread nothing;
  nothing.Join();
}

TEST(NamedThreadTest, AReplacedThreadHasEndedBeforeTheAssignmentReturns) {
  bool ended = false;
  NamedThread thread("first", [&] { ended = true; });
  thread = NamedThread();
  EXPECT_TRUE(ended);
}

TEST(ShutdownSignalTest, TheFirstSignalRequests) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    ShutdownSignal shutdown;
    EXPECT_FALSE(shutdown.requested());
    EXPECT_FALSE(shutdown.WaitFor(absl::ZeroDuration()));
    kill(getpid(), number);
    EXPECT_TRUE(shutdown.WaitFor(absl::Seconds(20)));
    EXPECT_TRUE(shutdown.requested());
  }
}

TEST(ShutdownSignalTest, RequestActsLikeASignal) {
  ShutdownSignal shutdown;
  NamedThread requester("requester", [&] { shutdown.Request(); });
  EXPECT_TRUE(shutdown.WaitFor(absl::Seconds(20)));
}

TEST(ShutdownSignalDeathTest, TheSecondSignalEndsTheProcessWithStatus130) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        ShutdownSignal shutdown;
        kill(getpid(), SIGTERM);
        shutdown.WaitFor(absl::Seconds(20));
        kill(getpid(), SIGINT);
        while (true) pause();
      },
      testing::ExitedWithCode(130), "");
}

// A session that ends sends SIGHUP beside SIGTERM, and a shell sends it once more.
TEST(ShutdownSignalDeathTest, OneThatComesWhileTheProcessEndsLeavesItItsStatus) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        ProcessShutdown();
        std::atexit([] {
          kill(getpid(), SIGTERM);
          ProcessShutdown().WaitFor(absl::Seconds(20));
        });
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(ShutdownSignalTest, HangUpsBesideAnotherSignalAreOneWish) {
  ShutdownSignal shutdown;
  for (const int number : {SIGHUP, SIGTERM, SIGHUP}) {
    kill(getpid(), number);
    EXPECT_TRUE(shutdown.WaitFor(absl::Seconds(20)));
  }
}

TEST(ShutdownSignalTest, LeavesHangUpsIgnoredWhereTheyWere) {
  const auto before = signal(SIGHUP, SIG_IGN);
  {
    ShutdownSignal shutdown;
    kill(getpid(), SIGHUP);
    EXPECT_FALSE(shutdown.requested());
    // What was sent before this has been seen by now, were it waited for.
    kill(getpid(), SIGTERM);
    EXPECT_TRUE(shutdown.WaitFor(absl::Seconds(20)));
  }
  signal(SIGHUP, before);
}

TEST(ShutdownSignalTest, IgnoresBrokenPipes) {
  ShutdownSignal shutdown;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  close(ends[1]);
}

}  // namespace
}  // namespace troupe
