#include "learner/reporting/batch_log.h"

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/common/temporary_folder.h"
#include "tests/learner/replay_batches.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

std::vector<Json> ReadLines(const std::string& path) {
  std::vector<Json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(Json::parse(line));
  return lines;
}

TEST(BatchLogTest, HasEveryNumberOfTheBatchAndWhoseItIs) {
  TrainingBatch batch = ReplayBatch();
  batch.streams[1] = {.shard = 3, .copy = 2, .lease_epoch = 5, .sequence = 7};
  batch.policy_versions[1] = 11;
  const Json line = Json::parse(FormatBatch(12, batch));
  EXPECT_EQ(line["update"], 12);
  EXPECT_EQ(line["rollout_length"], kReplaySteps);
  EXPECT_EQ(line["streams"][1], Json::parse("[3, 2, 5, 7, 11]"));
  std::string bytes;
  ASSERT_TRUE(absl::Base64Unescape(line["groups"][0]["observations"].get<std::string>(), &bytes));
  const std::vector<float>& seen = batch.groups[0].observations;
  ASSERT_EQ(bytes.size(), seen.size() * sizeof(float));
  EXPECT_EQ(std::memcmp(bytes.data(), seen.data(), bytes.size()), 0);
  EXPECT_TRUE(line["joint"].contains("terminated"));
  EXPECT_FALSE(line["groups"][0].contains("continuous_actions")) << "the group has none";
}

TEST(BatchLogTest, LinesAreThereAtOnceAndFollowThoseOfBefore) {
  const TemporaryFolder folder;
  const std::string path = folder / "batches";
  const auto first = BatchLog::Open(path).value();
  ASSERT_TRUE(first->Append(1, ReplayBatch()).ok());
  EXPECT_EQ(ReadLines(path).size(), 1);
  ASSERT_TRUE(BatchLog::Open(path).value()->Append(2, ReplayBatch()).ok());
  EXPECT_EQ(ReadLines(path).at(1)["update"], 2);
}

TEST(BatchLogTest, WhatCannotBeOpenedOrWrittenIsSaidByItsPath) {
  const TemporaryFolder folder;
  EXPECT_THAT(std::string(BatchLog::Open(folder / "none/batches").status().message()), HasSubstr("none/batches"));
  const auto full = BatchLog::Open("/dev/full").value();
  EXPECT_THAT(std::string(full->Append(1, ReplayBatch()).message()), HasSubstr("/dev/full: No space left"));
  EXPECT_FALSE(full->Append(2, ReplayBatch()).ok());
}

}  // namespace
}  // namespace troupe
