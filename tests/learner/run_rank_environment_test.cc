#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/run/rank_environment.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

absl::StatusOr<std::optional<RankEnvironment>> Read(const Variables& variables) {
  return ReadRankEnvironment([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

Variables Complete() {
  return {{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", "29500"}};
}

TEST(RankEnvironment, ReadsWhatTorchrunSets) {
  Variables variables = Complete();
  variables["LOCAL_RANK"] = "1";
  variables["TORCHELASTIC_USE_AGENT_STORE"] = "True";
  const auto ranks = Read(variables);
  ASSERT_TRUE(ranks.ok()) << ranks.status();
  ASSERT_TRUE(ranks->has_value());
  EXPECT_EQ((*ranks)->rank, 1);
  EXPECT_EQ((*ranks)->size, 2);
  EXPECT_EQ((*ranks)->local_rank, 1);
  EXPECT_EQ((*ranks)->master_address, "127.0.0.1");
  EXPECT_EQ((*ranks)->master_port, 29500);
  EXPECT_FALSE((*ranks)->serve_store);
}

TEST(RankEnvironment, WithoutRanksALearnerIsByItself) {
  EXPECT_EQ(Read({}).value().has_value(), false);
  EXPECT_EQ(Read({{"MASTER_ADDR", "x"}, {"MASTER_PORT", "1"}}).value().has_value(), false);
  EXPECT_EQ(Read({{"RANK", "0"}, {"WORLD_SIZE", "1"}}).value().has_value(), false);
}

TEST(RankEnvironment, NamesWhatIsMissing) {
  for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}) {
    Variables variables = Complete();
    variables.erase(name);
    const auto ranks = Read(variables);
    EXPECT_EQ(ranks.status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(std::string(ranks.status().message()), HasSubstr(std::string(name) + " is missing"));
  }
}

TEST(RankEnvironment, NamesWhatMakesNoSense) {
  for (const auto& [name, value] : Variables{{"RANK", "2"}, {"WORLD_SIZE", "0"}, {"MASTER_PORT", "70000"}}) {
    Variables variables = Complete();
    variables[name] = value;
    const auto ranks = Read(variables);
    EXPECT_EQ(ranks.status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(std::string(ranks.status().message()), HasSubstr(name + "=" + value));
  }
}

TEST(RankEnvironment, EveryRankNeedsAShardAndAPrivateMaster) {
  RankEnvironment ranks = Read(Complete()).value().value();
  EXPECT_TRUE(CheckRanks(ranks, 2, false).ok());
  EXPECT_THAT(std::string(CheckRanks(ranks, 1, false).message()),
              HasSubstr("WORLD_SIZE=2: collection.num_shards is 1"));
  ranks.master_address = "10.0.0.1";
  EXPECT_THAT(std::string(CheckRanks(ranks, 2, false).message()), HasSubstr("--insecure_ranks"));
  EXPECT_TRUE(CheckRanks(ranks, 2, true).ok());
}

TEST(RankEnvironment, CountsPortsUpOnOneMachine) {
  EXPECT_EQ(AddressOfLocalRank("127.0.0.1:7070", 3).value(), "127.0.0.1:7073");
  EXPECT_EQ(AddressOfLocalRank("[::1]:7070", 1).value(), "[::1]:7071");
  EXPECT_EQ(AddressOfLocalRank("unix:/run/troupe/learner.sock", 0).value(), "unix:/run/troupe/learner.sock");
  EXPECT_EQ(AddressOfLocalRank("unix:/run/troupe/learner.sock", 2).value(), "unix:/run/troupe/learner.sock.2");
  EXPECT_EQ(AddressOfLocalRank("0.0.0.0:0", 3).value(), "0.0.0.0:0");
  EXPECT_EQ(AddressOfLocalRank("127.0.0.1:65535", 1).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(AddressOfLocalRank("127.0.0.1", 0).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace troupe
