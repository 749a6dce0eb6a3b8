#include "common/files/atomic_file.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Runs `body` in a child that may write files of at most `bytes` bytes: its exit status.
int WithFileLimit(rlim_t bytes, const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(AtomicFileTest, WritesPiecesOneAfterTheOtherAndReplaces) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "a", {"one ", "", "two"}).ok());
  EXPECT_EQ(*ReadWholeFile(folder / "a"), "one two");
  ASSERT_TRUE(WriteFileAtomically(folder / "a", {"3"}).ok());
  EXPECT_EQ(*ReadWholeFile(folder / "a"), "3");
  EXPECT_THAT(folder.Names(), ElementsAre("a"));
}

TEST(AtomicFileTest, ADiskThatIsFullLeavesTheOldFileAndNoOther) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "a", {"old"}).ok());
  const int code = WithFileLimit(1000, [&] {
    const absl::Status status = WriteFileAtomically(folder / "a", {std::string(5000, 'x')});
    const bool named = std::string(status.message()).find(folder / "a") != std::string::npos;
    return named ? static_cast<int>(status.code()) : -1;
  });
  EXPECT_EQ(code, static_cast<int>(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(*ReadWholeFile(folder / "a"), "old");
  EXPECT_THAT(folder.Names(), ElementsAre("a"));
}

TEST(AtomicFileTest, AMissingFolderIsNotFound) {
  TemporaryFolder folder;
  const absl::Status status = WriteFileAtomically(folder / "none/a", {"x"});
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("none/a"));
}

TEST(AtomicFileTest, AFolderInItsPlaceIsInternalAndLeavesNothing) {
  TemporaryFolder folder;
  ASSERT_TRUE(MakeFolder(folder / "a").ok());
  EXPECT_EQ(WriteFileAtomically(folder / "a", {"x"}).code(), absl::StatusCode::kInternal);
  EXPECT_THAT(folder.Names(), ElementsAre("a"));
}

TEST(AtomicFileTest, WithoutPermissionItIsDenied) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "a", {"x"}).ok());
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  std::filesystem::permissions(folder / "a", std::filesystem::perms::none);
  const pid_t child = fork();
  if (child == 0) {
    // Root may do everything: become nobody.
    if (getuid() == 0 &&
        (chown(folder.path().c_str(), 65534, 65534) != 0 || chown((folder / "a").c_str(), 65534, 65534) != 0 ||
         setgid(65534) != 0 || setuid(65534) != 0)) {
      _exit(3);
    }
    const bool read_denied = absl::IsPermissionDenied(ReadWholeFile(folder / "a").status());
    const bool write_denied = absl::IsPermissionDenied(WriteFileAtomically(folder / "b", {"x"}));
    _exit(read_denied && write_denied ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 3) GTEST_SKIP() << "cannot give up root's rights here";
  EXPECT_EQ(status, 0);
}

TEST(ReadWholeFileTest, TellsMissingFilesAndFolders) {
  TemporaryFolder folder;
  EXPECT_EQ(ReadWholeFile(folder / "none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(ReadWholeFile(folder / "none").status().message()), HasSubstr("none: No such file"));
  EXPECT_EQ(ReadWholeFile(folder.path()).status().code(), absl::StatusCode::kInternal);
}

TEST(ReadWholeFileTest, ReadsFilesThatDoNotSayTheirSize) {
  const auto content = ReadWholeFile("/proc/self/status");
  ASSERT_TRUE(content.ok());
  EXPECT_THAT(*content, HasSubstr("Pid:"));
}

TEST(MakeFolderTest, MakesParentsAndTakesWhatIsThere) {
  TemporaryFolder folder;
  EXPECT_TRUE(MakeFolder(folder / "a/b/c").ok());
  EXPECT_TRUE(MakeFolder(folder / "a/b/c").ok());
  EXPECT_TRUE(WriteFileAtomically(folder / "a/b/c/d", {"x"}).ok());
  EXPECT_FALSE(MakeFolder(folder / "a/b/c/d/e").ok());
}

TEST(ListFolderTest, AFolderThatCannotBeListedIsNoEmptyOne) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "b", {"x"}).ok());
  ASSERT_TRUE(WriteFileAtomically(folder / "a", {"x"}).ok());
  EXPECT_THAT(*ListFolder(folder.path()), testing::ElementsAre("a", "b"));
  EXPECT_EQ(ListFolder(folder / "none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(ListFolder(folder / "a").status().message()), testing::HasSubstr(folder / "a"));
}

TEST(FileExistsTest, TellsAbsenceFromNotKnowing) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "a", {"x"}).ok());
  EXPECT_TRUE(*FileExists(folder / "a"));
  EXPECT_FALSE(*FileExists(folder / "b"));
  EXPECT_FALSE(FileExists(folder / "a/b").ok());
}

}  // namespace
}  // namespace troupe
