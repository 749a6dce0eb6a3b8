// The replay on disk: read back bit for bit, bounded, and whatever is cut off or damaged told apart from what is whole.
#include "learner/replay/replay_file.h"

#include <filesystem>
#include <fstream>

#include "common/files/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/replay/replay_record.h"
#include "tests/common/temporary_folder.h"
#include "tests/learner/replay_batches.h"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// One whose numbers say which it is.
TrainingBatch Numbered(uint64_t number) {
  TrainingBatch batch = ReplayBatch(static_cast<int>(number));
  for (ColumnStream& stream : batch.streams) stream.sequence = number;
  return batch;
}

constexpr int64_t kMuch = 1 << 20;

class ReplayFileTest : public ::testing::Test {
 protected:
  std::string replay() const { return folder_ / "replay"; }
  // Batches 0 … count − 1.
  ReplayFile::Range Fill(uint64_t count, int64_t most_bytes = kMuch) const {
    ReplayFile file(replay(), most_bytes);
    EXPECT_TRUE(file.Clear().ok());
    for (uint64_t number = 0; number < count; ++number) EXPECT_TRUE(file.Append(number, Numbered(number)).ok());
    EXPECT_TRUE(file.Sync().ok());
    return file.range();
  }
  // What comes back, by its first observation.
  std::vector<float> Restore(const ReplayFile::Range& range, absl::Status* status) const {
    ReplayFile file(replay(), kMuch);
    std::vector<float> seen;
    *status = file.Restore(range, [&](TrainingBatch batch) {
      seen.push_back(batch.groups[0].observations[0]);
      return absl::OkStatus();
    });
    return seen;
  }
  std::vector<std::string> Segments() const { return ListFolder(replay()).value(); }

  TemporaryFolder folder_;
};

TEST_F(ReplayFileTest, ABatchComesBackBitForBit) {
  TrainingBatch batch = Numbered(3);
  batch.truncated_at = {1, 2};
  batch.final_state_extras = {0.1f};
  batch.groups[0].network_states = {1.5f, -0.0f};
  batch.policy_versions = {1, 2, uint64_t{1} << 60};
  const auto again = DecodeReplayBatch(EncodeReplayBatch(batch));
  ASSERT_TRUE(again.ok()) << again.status();
  const auto expect_same = [](const TrajectoryField& field, const auto& came, const auto& expected) {
    EXPECT_EQ(came, expected) << field.name;
  };
  ForEachField(expect_same, *again, batch);
  ForEachField(expect_same, again->groups[0], batch.groups[0]);
  EXPECT_EQ(again->policy_versions, batch.policy_versions);
  EXPECT_EQ(again->streams, batch.streams);
  EXPECT_EQ(again->rollout_length, batch.rollout_length);
  EXPECT_EQ(again->columns, batch.columns);
}

TEST_F(ReplayFileTest, ABatchCutOffAnywhereOrTooLongIsRefused) {
  const std::string bytes = EncodeReplayBatch(Numbered(0));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeReplayBatch(std::string_view(bytes).substr(0, size)).status().code(), absl::StatusCode::kDataLoss)
        << size;
  }
  EXPECT_FALSE(DecodeReplayBatch(bytes + "x").ok());
  // A length of 2^60: nothing is allocated for it.
  std::string huge = bytes;
  huge[24 + 7] = 0x10;
  EXPECT_FALSE(DecodeReplayBatch(huge).ok());
}

TEST_F(ReplayFileTest, GivesBackTheRangeAndGoesOnFromThere) {
  ReplayFile::Range range = Fill(5);
  EXPECT_EQ(range.end, 5u);
  absl::Status status;
  range.first = 2;
  EXPECT_THAT(Restore(range, &status), ElementsAre(200, 300, 400));
  EXPECT_TRUE(status.ok()) << status;
  ReplayFile file(replay(), kMuch);
  ASSERT_TRUE(file.Restore(range, [](TrainingBatch) { return absl::OkStatus(); }).ok());
  ASSERT_TRUE(file.Append(5, Numbered(5)).ok());
  range = file.range();
  range.first = 3;
  EXPECT_THAT(Restore(range, &status), ElementsAre(300, 400, 500));
}

// A run that was killed has written on since its checkpoint.
TEST_F(ReplayFileTest, WhatWasWrittenAfterTheRangeIsForgotten) {
  const ReplayFile::Range range = Fill(3);
  {
    ReplayFile file(replay(), kMuch);
    ASSERT_TRUE(file.Restore(range, [](TrainingBatch) { return absl::OkStatus(); }).ok());
    for (uint64_t number = 3; number < 9; ++number) ASSERT_TRUE(file.Append(number, Numbered(number + 50)).ok());
  }
  absl::Status status;
  EXPECT_THAT(Restore(range, &status), ElementsAre(0, 100, 200));
  ReplayFile file(replay(), kMuch);
  ASSERT_TRUE(file.Restore(range, [](TrainingBatch) { return absl::OkStatus(); }).ok());
  ASSERT_TRUE(file.Append(3, Numbered(3)).ok());
  EXPECT_THAT(Restore(file.range(), &status), ElementsAre(0, 100, 200, 300));
}

TEST_F(ReplayFileTest, ARecordThatWasCutOffCountsForNothingAndOneThatIsNeededIsMissed) {
  const ReplayFile::Range two = Fill(2), three = Fill(3);
  const std::string path = replay() + "/" + Segments().front();
  const auto whole = std::filesystem::file_size(path);
  absl::Status status;
  for (const uintmax_t left : {whole - 1, whole - 100, two.end * whole / 3 + 1}) {
    std::filesystem::resize_file(path, left);
    Restore(three, &status);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << left;
    EXPECT_THAT(std::string(status.message()), HasSubstr("batch 2 is not there or not whole"));
    EXPECT_EQ(std::filesystem::file_size(path), left) << "nothing is changed then";
  }
  EXPECT_THAT(Restore(two, &status), ElementsAre(0, 100));
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(ReplayFileTest, ABitThatChangedAnywhereIsNoticed) {
  const ReplayFile::Range range = Fill(2);
  const std::string path = replay() + "/" + Segments().front();
  const std::string bytes = ReadWholeFile(path).value();
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string other = bytes;
    other[at] = static_cast<char>(other[at] ^ 4);
    std::ofstream(path, std::ios::binary) << other;
    absl::Status status;
    Restore(range, &status);
    ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << at;
  }
}

// The same numbers, written by another course of the run.
TEST_F(ReplayFileTest, OtherBatchesOfTheSameNumbersAreNotTaken) {
  const ReplayFile::Range range = Fill(3);
  ReplayFile file(replay(), kMuch);
  ASSERT_TRUE(file.Clear().ok());
  for (uint64_t number = 0; number < 3; ++number) ASSERT_TRUE(file.Append(number, Numbered(number + 1)).ok());
  absl::Status status;
  Restore(range, &status);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("batch 2 is not the one it was"));
}

TEST_F(ReplayFileTest, StaysWithinItsBoundAndForgetsWhatNobodyAsksFor) {
  const int64_t one = static_cast<int64_t>(EncodeReplayBatch(Numbered(0)).size()) + 24;
  ReplayFile file(replay(), 20 * one);
  ASSERT_TRUE(file.Clear().ok());
  const auto on_disk = [&] {
    int64_t bytes = 0;
    for (const std::string& name : Segments()) {
      bytes += static_cast<int64_t>(std::filesystem::file_size(replay() + "/" + name));
    }
    return bytes;
  };
  for (uint64_t number = 0; number < 200; ++number) {
    ASSERT_TRUE(file.Append(number, Numbered(number)).ok());
    ASSERT_LE(on_disk(), 20 * one);
    EXPECT_EQ(on_disk(), file.bytes());
  }
  EXPECT_GE(on_disk(), 18 * one);
  ASSERT_TRUE(file.Forget(195).ok());
  EXPECT_EQ(file.range().first, 194u) << "segments of two records";
  absl::Status status;
  ReplayFile::Range range = file.range();
  range.first = 195;
  EXPECT_THAT(Restore(range, &status), ElementsAre(19500, 19600, 19700, 19800, 19900));
}

TEST_F(ReplayFileTest, AFolderThatIsNotThereHoldsNothing) {
  absl::Status status;
  Restore({0, 1, 0}, &status);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
}

TEST_F(ReplayFileTest, ADiskThatRefusesSaysWhichFile) {
  // A file where the folder should be.
  ASSERT_TRUE(WriteFileAtomically(replay(), {"x"}).ok());
  ReplayFile file(replay(), kMuch);
  EXPECT_THAT(std::string(file.Clear().message()), HasSubstr(replay()));
}

}  // namespace
}  // namespace troupe
