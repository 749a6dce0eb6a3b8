#include "common/files/text_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/clock/steady_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::EndsWith;

class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0); }
  ~Pipe() {
    close(ends_[0]);
    if (ends_[1] >= 0) close(ends_[1]);
  }
  int in() const { return ends_[1]; }
  // Everything up to `end`, which comes.
  std::string ReadTo(const std::string& end) {
    std::string text;
    char buffer[4096];
    while (text.size() < end.size() || text.substr(text.size() - end.size()) != end) {
      const ssize_t got = read(ends_[0], buffer, sizeof(buffer));
      if (got <= 0) break;
      text.append(buffer, static_cast<size_t>(got));
    }
    return text;
  }

 private:
  int ends_[2] = {-1, -1};
};

TEST(TextWriter, WritesInOrder) {
  Pipe pipe;
  TextWriter writer("test", pipe.in());
  for (const char* text : {"a", "b\n", "c\n"}) writer.Write(text);
  EXPECT_EQ(pipe.ReadTo("c\n"), "ab\nc\n");
  EXPECT_TRUE(writer.Flush(absl::Seconds(20)));
}

TEST(TextWriter, WhoWritesToWhatNobodyReadsGoesOnAndWhatIsLeftOutIsTold) {
  Pipe pipe;
  TextWriter writer("test", pipe.in());
  const std::string line = absl::StrCat(std::string(1023, 'x'), "\n");
  const SteadyTime begun = SteadyTime::Now();
  for (int i = 0; i < 3000; ++i) writer.Write(line);  // far more than a pipe and the writer hold
  EXPECT_LT(SteadyTime::Now() - begun, absl::Seconds(10));
  EXPECT_FALSE(writer.Flush(absl::Milliseconds(1)));
  const uint64_t dropped = writer.dropped();
  EXPECT_GT(dropped, 1500);
  EXPECT_LT(dropped, 3000 - TextWriter::kMaxWaitingBytes / line.size() + 1);
  // The last that was taken is a whole line, and after it stands how many are missing.
  std::string text;
  std::thread reader([&] { text = pipe.ReadTo("end\n"); });
  while (!writer.Flush(absl::Seconds(20))) {
  }
  writer.Write("end\n");
  reader.join();
  // Once or, where the pipe had room for some more in between, several times.
  EXPECT_THAT(text, EndsWith(" lines are left out: nobody took them)\nend\n"));
  uint64_t told = 0;
  for (size_t at = 0; (at = text.find("x\n(", at)) != std::string::npos; ++at) {
    told += std::strtoull(text.c_str() + at + 3, nullptr, 10);
  }
  EXPECT_EQ(told, dropped);
}

TEST(TextWriter, EndsThoughNobodyReads) {
  Pipe pipe;
  const SteadyTime begun = SteadyTime::Now();
  { TextWriter("test", pipe.in()).Write(std::string(1 << 19, 'x')); }
  EXPECT_LT(SteadyTime::Now() - begun, 3 * TextWriter::kEndPatience);
}

}  // namespace
}  // namespace troupe
