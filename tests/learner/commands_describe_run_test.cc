#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/commands/describe_run.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DescribeRunTest : public testing::Test {
 protected:
  DescribeRunTest() {
    std::ofstream(folder_ / "experiment.textproto")
        << "name: 'crossing' seed: 4 total_env_steps: 4000 environment { name: 'grid_world' } "
           "evaluation { interval_env_steps: 1000 best_by: 'success' }";
    std::ofstream(folder_ / "run_id") << "0123abcd\n";
    std::ofstream lines(folder_ / "metrics.jsonl");
    for (int k = 1; k <= 3; ++k) {
      lines << absl::StrCat(R"({"update":)", k, R"(,"env_steps":)", 1000 * k, R"(,"wall_seconds":)", 2 * k, "}\n");
      lines << absl::StrCat(R"({"update":)", k, R"(,"env_steps":)", 1000 * k,
                            R"(,"evaluation":{"count":2,"statistics":{"success":0.)", k, "}}}\n");
    }
  }
  std::string Text() {
    const absl::StatusOr<std::string> text = DescribeRun(folder_.path());
    return text.ok() ? *text : text.status().ToString();
  }

  TemporaryFolder folder_;
};

TEST_F(DescribeRunTest, SaysHowFarItIsAndWhatItReached) {
  EXPECT_THAT(Text(), HasSubstr("run crossing (seed 4, id 0123abcd) of grid_world with mappo\n"));
  EXPECT_THAT(Text(), HasSubstr("3,000 of 4,000 environment steps, 75.0 %"));
  EXPECT_THAT(Text(), HasSubstr("6 s, 500 steps/s"));
  EXPECT_THAT(Text(), HasSubstr("3: success 0.1 after 1,000 steps\n"));
  EXPECT_THAT(Text(), HasSubstr("success 0.3 after 3,000 steps"));
  EXPECT_THAT(Text(), HasSubstr("checkpoints  none"));
  std::ofstream(folder_ / "evaluation.txt") << "the table\n";
  EXPECT_THAT(Text(), HasSubstr("\nthe table"));
}

TEST_F(DescribeRunTest, SaysWhoWorksThere) {
  EXPECT_THAT(Text(), HasSubstr("nobody works here"));
  const int lock = open((folder_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  ASSERT_EQ(flock(lock, LOCK_EX | LOCK_NB), 0);
  EXPECT_THAT(Text(), HasSubstr(absl::StrCat("a learner works here, process ", getpid())));
  close(lock);
  EXPECT_THAT(Text(), Not(HasSubstr("a learner works here")));
}

TEST_F(DescribeRunTest, OtherFoldersAreRefusedByName) {
  TemporaryFolder other;
  const absl::Status status = DescribeRun(other.path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat(other.path(), ": not a run's folder")));
}

}  // namespace
}  // namespace troupe
