// Which clock the programs' own sources go by.
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

// Dates, for people; all else lasts, expires or is waited for.
const std::set<std::string> kMayAskForTheDate = {
    "common/base/log.cc",            // in front of a line
    "learner/reporting/console.cc",  // in front of a line
    "learner/run/train_command.cc",  // names of TensorBoard's files, timestamps of checkpoints
    "learner/run/training_loop.cc",  // "time" of records
};
const std::set<std::string> kMayWait = {"common/threads/timed_wait.cc"};

TEST(ClockUse, DurationsAndWaitsGoByTheSteadyClock) {
  const std::regex date(
      R"(absl::Now\b|system_clock|CLOCK_REALTIME|gettimeofday|\btime\((nullptr|NULL|0)\)|ToChronoTime)");
  const std::regex wait(
      R"((Await|Wait|WaitForNotification)With(Timeout|Deadline)|LockWhenWith\w+|[.>](wait_for|wait_until)\()");
  const std::filesystem::path root = TROUPE_SOURCE_DIR;
  int files = 0;
  for (const char* folder : {"actor_worker", "common", "learner"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() != ".cc" && entry.path().extension() != ".h") continue;
      const std::string name = std::filesystem::relative(entry.path(), root);
      ++files;
      std::ifstream file(entry.path());
      int number = 0;
      for (std::string line; std::getline(file, line);) {
        ++number;
        const std::string code = line.substr(0, line.find("//"));
        EXPECT_TRUE(kMayAskForTheDate.contains(name) || !std::regex_search(code, date))
            << name << ":" << number
            << ": what lasts or expires goes by SteadyTime (common/clock/steady_time.h), calls by "
            << "CallDeadline (common/clock/call_deadline.h): " << line;
        EXPECT_TRUE(kMayWait.contains(name) || !std::regex_search(code, wait))
            << name << ":" << number << ": waits are AwaitFor's (common/threads/timed_wait.h): " << line;
      }
    }
  }
  EXPECT_GT(files, 200);
}

}  // namespace
}  // namespace troupe
