#include "common/metrics/memory_use.h"

#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;

// A machine of 8 GiB, of which 3 are in use.
class MemoryUseTest : public ::testing::Test {
 protected:
  MemoryUseTest() {
    Write("proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB\nMemAvailable:    5242880 kB\n");
  }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path full = folder_ / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }

  void Expect(double used, double limit) {
    const std::optional<MemoryUse> use = ReadMemoryUse(folder_ / "proc", folder_ / "groups");
    ASSERT_TRUE(use.has_value());
    EXPECT_EQ(use->used_bytes, used);
    EXPECT_EQ(use->limit_bytes, limit);
  }

  TemporaryFolder folder_;
};

TEST_F(MemoryUseTest, IsTheMachinesWithoutGroups) { Expect(3 * kGiB, 8 * kGiB); }

TEST_F(MemoryUseTest, IsThatOfTheNarrowestGroupOfVersion2) {
  Write("proc/self/cgroup", "0::/slice/service\n");
  Write("groups/slice/memory.max", "2147483648\n");
  Write("groups/slice/memory.current", "1610612736\n");
  Write("groups/slice/memory.stat", "anon 5\ninactive_file 536870912\n");
  Write("groups/slice/service/memory.max", "max\n");
  Write("groups/slice/service/memory.current", "100\n");
  Expect(1 * kGiB, 2 * kGiB);
}

TEST_F(MemoryUseTest, IsTheGroupsOfVersion1WhereItIsMountedAsTheRoot) {
  Write("proc/self/cgroup", "5:devices:/docker/abc\n4:cpu,memory:/docker/abc\n0::/\n");
  Write("groups/memory/memory.limit_in_bytes", "4294967296\n");
  Write("groups/memory/memory.usage_in_bytes", "2147483648\n");
  Write("groups/memory/memory.stat", "inactive_file 7\ntotal_inactive_file 1073741824\n");
  Expect(1 * kGiB, 4 * kGiB);
}

TEST_F(MemoryUseTest, IsTheMachinesWhereTheGroupHasNoLimitOfItsOwn) {
  Write("proc/self/cgroup", "4:memory:/session\n");
  Write("groups/memory/session/memory.limit_in_bytes", "9223372036854771712\n");
  Write("groups/memory/session/memory.usage_in_bytes", "1000\n");
  Expect(3 * kGiB, 8 * kGiB);
}

TEST_F(MemoryUseTest, IsNothingWhereNothingCanBeRead) {
  EXPECT_FALSE(ReadMemoryUse(folder_ / "nowhere", folder_ / "nowhere").has_value());
}

TEST(ReadMemoryUse, OfThisProcessIsWithinItsLimit) {
  const std::optional<MemoryUse> use = ReadMemoryUse();
  ASSERT_TRUE(use.has_value());
  EXPECT_GT(use->used_bytes, 1 << 20);
  EXPECT_LE(use->used_bytes, use->limit_bytes);
}

}  // namespace
}  // namespace troupe
