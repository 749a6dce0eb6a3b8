// The forcing of orders itself, and that the tables have every event.
#include "tests/interleavings/orders.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/threads/sync_point.h"
#include "gtest/gtest.h"

namespace troupe::testing {
namespace {

// Adds one, as two events.
void AddOne(std::atomic<int>& sum) {
  int seen;
  {
    const SyncPoint point("test.load");
    seen = sum;
  }
  const SyncPoint point("test.store");
  sum = seen + 1;
}

TEST(Orders, AnUpdateIsLostInOneOrderAndNotInTheOther) {
  for (const bool stores_first : {true, false}) {
    std::atomic<int> sum = 0;
    const auto add = [&sum] { AddOne(sum); };
    const Act one = {.name = "one", .event = "test.store", .body = add};
    const Act other = {.name = "other", .event = "test.load", .body = add};
    EXPECT_EQ(RunInOrder(one, other, stores_first), Came::kInOrder);
    EXPECT_EQ(sum, stores_first ? 2 : 1);
  }
}

TEST(Orders, ABodyWithoutItsEventIsSaid) {
  const Act never = {.name = "never", .event = "test.event", .body = [] {}};
  const Act comes = {.name = "comes", .event = "test.event", .body = [] { const SyncPoint point("test.event"); }};
  EXPECT_EQ(RunInOrder(never, comes, true), Came::kOneDidNot);
  EXPECT_EQ(RunInOrder(comes, never, true), Came::kOtherDidNot);
}

TEST(OrdersDeathTest, ADeadlockEndsTheProcessAndNamesTheEvents) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  absl::Notification done;
  const Act waits = {.name = "who waits", .event = "test.wait", .body = [&done] {
                       const SyncPoint point("test.wait");
                       done.WaitForNotification();
                     }};
  const Act notifies = {.name = "who is waited for", .event = "test.notify", .body = [&done] {
                          const SyncPoint point("test.notify");
                          done.Notify();
                        }};
  EXPECT_EXIT(RunInOrder(waits, notifies, /*one_first=*/true, false, absl::Milliseconds(200)),
              ::testing::ExitedWithCode(1),
              "deadlock: who waits .test.wait. was to end before who is waited for .test.notify. begins\n"
              "  who waits stands in test.wait\n  who is waited for stands before test.notify");
}

std::set<std::string> Found(const std::vector<std::string>& folders, const std::string& pattern) {
  std::set<std::string> found;
  const std::regex regex(pattern);
  for (const std::string& folder : folders) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(absl::StrCat(TROUPE_SOURCE_DIR, "/", folder))) {
      if (entry.path().extension() != ".cc" || entry.path().filename() == "orders_test.cc") continue;
      std::ifstream file(entry.path());
      const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      for (auto match = std::sregex_iterator(text.begin(), text.end(), regex); match != std::sregex_iterator();
           ++match) {
        found.insert((*match)[1]);
      }
    }
  }
  return found;
}

// A row is {"what happens", "the event", Role::…
TEST(SyncPoints, EachIsInATableOfPairsAndNoTableNamesAnother) {
  const std::set<std::string> points =
      Found({"common", "learner", "actor_worker"}, R"re(SyncPoint point\("([^"]+)"\))re");
  const std::set<std::string> rows =
      Found({"tests/interleavings", "tests/learner"}, R"re(\{"[^"]+",\s*"((?!test)[a-z_]+\.[a-z_]+)",\s*Role::)re");
  EXPECT_GT(points.size(), 40);
  EXPECT_EQ(points, rows);
}

}  // namespace
}  // namespace troupe::testing
