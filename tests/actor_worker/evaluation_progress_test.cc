#include "actor_worker/evaluation/evaluation_progress.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

std::string Said(bool is_terminal) {
  TemporaryFolder folder;
  std::FILE* const out = std::fopen((folder / "out").c_str(), "w");
  {
    EvaluationProgress progress(out, is_terminal, absl::Seconds(10), 2, 20, absl::ZeroDuration());
    progress.Begin("one");
    progress.Update(0, absl::Seconds(1));
    progress.Update(0, absl::Seconds(10));
    progress.Update(5, absl::Seconds(19));
    progress.Update(10, absl::Seconds(20));
    progress.Begin("two");
    progress.Update(4, absl::Seconds(120));
  }
  std::fclose(out);
  std::ifstream file(folder / "out");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(EvaluationProgressTest, SaysALineNowAndThenWhereThereIsNoTerminal) {
  EXPECT_EQ(Said(false),
            "evaluated 0 of 40 episodes, one plays\n"
            "evaluated 10 of 40 episodes, one plays; about 1:00 left\n"
            "evaluated 24 of 40 episodes, two plays; about 1:20 left\n");
}

TEST(EvaluationProgressTest, RewritesOneLineOnATerminalAndTakesItAway) {
  const std::string said = Said(true);
  EXPECT_EQ(said.find('\n'), std::string::npos);
  EXPECT_THAT(said, testing::HasSubstr("\r\x1b[2Kevaluated 5 of 40 episodes, one plays; about 2:13 left"));
  EXPECT_THAT(said, testing::EndsWith("\r\x1b[2K"));
}

}  // namespace
}  // namespace troupe
