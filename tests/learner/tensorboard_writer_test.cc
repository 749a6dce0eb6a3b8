#include "learner/reporting/tensorboard_writer.h"

#include <cmath>
#include <cstring>
#include <filesystem>

#include "common/files/crc32c.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/tensorboard.pb.h"
#include "tests/learner/run_harness.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

uint64_t ReadNumber(const std::string& bytes, size_t offset, int size) {
  uint64_t value = 0;
  for (int i = size - 1; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(bytes.at(offset + i));
  return value;
}

// As TensorFlow's reader undoes it.
uint32_t Unmask(uint32_t masked) {
  const uint32_t rotated = masked - 0xa282ead8u;
  return rotated >> 17 | rotated << 15;
}

// Every event of a file; a record whose checksums do not fit ends the test.
std::vector<tensorboard::Event> ReadEvents(const std::string& path) {
  const std::string bytes = ReadText(path);
  std::vector<tensorboard::Event> events;
  for (size_t at = 0; at < bytes.size();) {
    const uint64_t length = ReadNumber(bytes, at, 8);
    EXPECT_EQ(Unmask(ReadNumber(bytes, at + 8, 4)), Crc32c(bytes.substr(at, 8)));
    const std::string message = bytes.substr(at + 12, length);
    EXPECT_EQ(Unmask(ReadNumber(bytes, at + 12 + length, 4)), Crc32c(message));
    EXPECT_TRUE(events.emplace_back().ParseFromString(message));
    at += 16 + length;
  }
  return events;
}

TEST(TensorboardWriter, FramesARecordAsTfRecordDoes) {
  // tf.io.TFRecordWriter's bytes for the message "abc".
  const std::string expected("\x03\x00\x00\x00\x00\x00\x00\x00", 8);
  const std::string record = FrameRecord("abc");
  ASSERT_EQ(record.size(), 19);
  EXPECT_EQ(record.substr(0, 8), expected);
  EXPECT_EQ(record.substr(12, 3), "abc");
  EXPECT_EQ(Crc32c("abc"), 0x364b3fb7u);
  EXPECT_EQ(Unmask(ReadNumber(record, 15, 4)), 0x364b3fb7u);
}

TEST(TensorboardWriter, WritesAVersionAStartAndOneEventPerStep) {
  TemporaryFolder folder;
  const absl::Time now = absl::FromUnixSeconds(1700000000);
  const auto writer = TensorboardWriter::Create(folder.path(), 5, now);
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE(
      (*writer)->AddScalars(8, now + absl::Seconds(1), {{"update/policy_loss", 0.25}, {"bad", NAN}, {"lag", 1}}).ok());
  EXPECT_THAT((*writer)->path(), HasSubstr("/events.out.tfevents.1700000000."));
  const auto events = ReadEvents((*writer)->path());
  ASSERT_EQ(events.size(), 3);
  EXPECT_EQ(events[0].file_version(), "brain.Event:2");
  EXPECT_EQ(events[1].session_log().status(), tensorboard::SessionLog::START);
  EXPECT_EQ(events[1].step(), 5);
  EXPECT_EQ(events[2].step(), 8);
  EXPECT_EQ(events[2].wall_time(), 1700000001.0);
  ASSERT_EQ(events[2].summary().value_size(), 2);
  EXPECT_EQ(events[2].summary().value(0).tag(), "update/policy_loss");
  EXPECT_EQ(events[2].summary().value(0).simple_value(), 0.25f);
  EXPECT_EQ(events[2].summary().value(1).tag(), "lag");
}

TEST(TensorboardWriter, AFolderThatIsNotThereIsAnErrorWithItsName) {
  const auto writer = TensorboardWriter::Create("/nonexistent/run", 1, absl::Now());
  EXPECT_TRUE(absl::IsUnavailable(writer.status()));
  EXPECT_THAT(std::string(writer.status().message()), HasSubstr("/nonexistent/run/events.out.tfevents."));
}

}  // namespace
}  // namespace troupe::testing
