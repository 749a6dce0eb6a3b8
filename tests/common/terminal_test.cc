#include "common/command_line/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(TerminalTest, ATerminalTellsItsColumnsAndAPipeNone) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  winsize size{};
  size.ws_col = 83;
  ASSERT_EQ(ioctl(terminal, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(TerminalColumns(terminal), 83);
  close(terminal);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_EQ(TerminalColumns(ends[1]), 0);
  close(ends[0]);
  close(ends[1]);
}

TEST(TerminalTest, BreaksWideLinesBetweenWordsBelowTheLastColumn) {
  EXPECT_EQ(Folded("short\n\n  a table  of words that are told\n", 20),
            "short\n\n  a table  of words\n           that are\n           told\n");
  EXPECT_EQ(Folded("  a table of one  word or two", 20), "  a table of one\n    word or two");
  EXPECT_EQ(Folded("  one  two three four five", 16), "  one  two three\n       four five");
  // Characters count, not bytes.
  EXPECT_EQ(Folded("×××× ××××", 9), "×××× ××××");
  EXPECT_EQ(Folded("×××× ××××", 8), "××××\n××××");
  EXPECT_EQ(Folded("unbroken_word another", 6), "unbroken_word\nanother");
  EXPECT_EQ(Folded("any width will do", 0), "any width will do");
}

TEST(TerminalTest, ProgressKeepsItsBeginningAndItsEnd) {
  const char line[] = "8 of 9 steps  88 %   return 1   lag 1.0   0:12 left";
  EXPECT_EQ(FittedProgress(line, 0), line);
  EXPECT_EQ(FittedProgress(line, 80), line);
  EXPECT_EQ(FittedProgress(line, 45), "8 of 9 steps  88 %   return 1   0:12 left");
  EXPECT_EQ(FittedProgress(line, 32), "8 of 9 steps  88 %   0:12 left");
  EXPECT_EQ(FittedProgress(line, 8), "8 of 9 ");
  // The last column stays free: a terminal that wraps there would begin a line.
  EXPECT_EQ(FittedProgress("12345", 5), "1234");
}

}  // namespace
}  // namespace troupe
