#include "common/processes/file_limit.h"

#include <sys/resource.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(FileLimit, IsRaisedToTheMostThereMayBe) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit lower{before.rlim_max / 2, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  EXPECT_EQ(RaiseFileLimit(), before.rlim_max);
  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(FileLimit, TooFewAreRefusedByBothNumbers) {
  EXPECT_TRUE(CheckFileLimit(1024, 64, 4).ok());
  const absl::Status status = CheckFileLimit(256, 64, 4);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              ::testing::HasSubstr("256 may be open (ulimit -Hn), and 396 are needed for 64 workers"));
  EXPECT_FALSE(CheckFileLimit(100, 1, 0).ok());
}

}  // namespace
}  // namespace troupe
