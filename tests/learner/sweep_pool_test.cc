// Children at a time, their ends, and that none is left.
#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/sweep/run_pool.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RunPoolTest : public ::testing::Test {
 protected:
  void Add(const std::string& script) {
    runs_.push_back({{"/bin/sh", "-c", script}, folder_ / absl::StrCat(runs_.size(), ".log")});
    ends_.emplace_back(absl::UnknownError("has not ended"));
  }
  absl::Status Run() {
    RunPoolEvents events;
    events.started = [&](size_t i) {
      running_.insert(i);
      most_running_ = std::max(most_running_, running_.size());
    };
    events.ended = [&](size_t i, const absl::Status& status) {
      running_.erase(i);
      ends_[i] = status;
    };
    events.progress = [&](const auto& lines) {
      for (const auto& [i, line] : lines) told_ |= line == "ready";
    };
    return RunAll(runs_, limits_, events, [&] { return stop_ && told_; });
  }
  std::string Log(size_t i) const {
    std::ifstream file(runs_[i].log_path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  TemporaryFolder folder_;
  std::vector<PooledRun> runs_;
  std::vector<absl::Status> ends_;
  RunPoolLimits limits_;
  std::set<size_t> running_;
  size_t most_running_ = 0;
  bool told_ = false, stop_ = false;
};

TEST_F(RunPoolTest, RunsAllAndNoMoreAtATimeThanAllowed) {
  for (int i = 0; i < 5; ++i) Add(absl::StrCat("echo hello ", i));
  limits_.parallel = 2;
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(most_running_, 2);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(ends_[i].ok()) << ends_[i];
    EXPECT_EQ(Log(i), absl::StrCat("hello ", i, "\n"));
  }
}

TEST_F(RunPoolTest, AFailureIsToldAndDoesNotEndTheOthers) {
  Add("echo nothing works; exit 3");
  Add("exit 0");
  runs_.push_back({{folder_ / "nobody"}, folder_ / "2.log"});
  ends_.emplace_back();
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(ends_[0].message(),
            absl::StrCat("exited with status 3, its last line: \"nothing works\" (", folder_ / "0.log", ")"));
  EXPECT_TRUE(ends_[1].ok());
  EXPECT_TRUE(absl::IsNotFound(ends_[2])) << ends_[2];
}

TEST_F(RunPoolTest, StoppingTellsThoseThatRunAndBeginsNoMore) {
  Add("trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  Add("echo never");
  stop_ = true;
  EXPECT_TRUE(absl::IsCancelled(Run()));
  EXPECT_TRUE(ends_[0].ok()) << ends_[0];
  EXPECT_EQ(Log(0), "ready\nsaved\n");
  EXPECT_TRUE(absl::IsUnknown(ends_[1]));
}

TEST_F(RunPoolTest, WhoeverDoesNotListenIsKilled) {
  Add("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  stop_ = true;
  limits_.grace = absl::Milliseconds(200);
  EXPECT_TRUE(absl::IsCancelled(Run()));
  EXPECT_THAT(ends_[0].message(), HasSubstr("was ended by signal 9"));
}

TEST_F(RunPoolTest, ARunThatTakesTooLongFails) {
  Add("echo ready; exec sleep 1000");
  Add("exit 0");
  limits_.run = absl::Milliseconds(200);
  EXPECT_TRUE(Run().ok());
  EXPECT_TRUE(absl::IsDeadlineExceeded(ends_[0])) << ends_[0];
  EXPECT_THAT(ends_[0].message(), HasSubstr("200ms"));
  EXPECT_TRUE(ends_[1].ok()) << ends_[1];
}

}  // namespace
}  // namespace troupe
