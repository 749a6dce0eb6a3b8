#include "actor_worker/offline/episode_files.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/files/atomic_file.h"
#include "common/files/safetensors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/inference_reference.h"
#include "tests/actor_worker/scripted_environment.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

const EnvironmentEntry& Scripted() {
  static const EnvironmentEntry entry = ScriptedEntry();
  return entry;
}

Player AlwaysOne() {
  return {.name = "always_one", .make_controller = [] { return std::make_unique<AlwaysOneController>(); }};
}

class EpisodeFilesTest : public testing::Test {
 protected:
  EpisodeFilesPlan Plan(const std::string& folder) {
    return {.environment = &Scripted(),
            .settings = {{"length", "0"}},  // 2 + seed % 3
            .first_seed = 30,
            .episodes = 4,
            .folder = folder_ / folder,
            .metadata = {{"player", "always_one"}}};
  }
  SafetensorsFile Read(const std::string& name) {
    auto file = ReadSafetensors(folder_ / name);
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? *std::move(file) : SafetensorsFile{};
  }
  TemporaryFolder folder_;
};

template <typename Value>
std::vector<Value> Values(const SafetensorsFile& file, const std::string& name, std::vector<int64_t> shape) {
  for (const HostTensor& tensor : file.tensors) {
    if (tensor.name != name) continue;
    EXPECT_EQ(tensor.shape, shape) << name;
    std::vector<Value> values(tensor.num_elements());
    EXPECT_EQ(tensor.bytes.size(), values.size() * sizeof(Value)) << name;
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
  }
  ADD_FAILURE() << "no " << name;
  return {};
}

TEST_F(EpisodeFilesTest, HoldsWhatWasSeenDoneAndPaid) {
  const auto written = WriteEpisodes(Plan("a"), AlwaysOne());
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->files, 1);
  EXPECT_EQ(written->steps, 2 + 3 + 4 + 2);
  const SafetensorsFile file = Read("a/episodes-00000.safetensors");
  EXPECT_EQ(file.metadata.at("format"), "troupe-episodes/1");
  EXPECT_EQ(file.metadata.at("player"), "always_one");
  EXPECT_EQ(nlohmann::json::parse(file.metadata.at("spec"))["groups"][0]["agents"][1], "right");
  EXPECT_THAT(Values<int64_t>(file, "seeds", {4}), ElementsAre(30, 31, 32, 33));
  EXPECT_THAT(Values<int64_t>(file, "lengths", {4}), ElementsAre(2, 3, 4, 2));
  EXPECT_THAT(Values<uint8_t>(file, "terminated", {4}), Each(1));
  // A row more than steps in each of the four.
  EXPECT_THAT(Values<float>(file, "state_extras", {15, 1}),
              ElementsAre(0, 10, 20, 0, 10, 20, 30, 0, 10, 20, 30, 40, 0, 10, 20));
  const std::vector<float> seen = Values<float>(file, "observations/pair", {15, 2, 3});
  EXPECT_THAT(std::vector<float>(seen.begin() + 6, seen.begin() + 12), ElementsAre(0.03f, 1, 0, 0.03f, 1, 1));
  const std::vector<uint8_t> masks = Values<uint8_t>(file, "action_masks/pair", {15, 2, 3});
  EXPECT_THAT(std::vector<uint8_t>(masks.begin() + 6, masks.begin() + 12), ElementsAre(1, 1, 0, 1, 1, 1));
  EXPECT_THAT(Values<int32_t>(file, "actions/pair", {11, 2, 1}), Each(1));
  EXPECT_THAT(Values<float>(file, "rewards/single", {11, 1}), Each(1));
  const std::vector<double> statistics = Values<double>(file, "statistics", {4, 2});
  EXPECT_THAT(statistics, ElementsAre(2, 6, 3, 9, 4, 12, 2, 6));
}

TEST_F(EpisodeFilesTest, ActorsPlayTheEpisodesOfAnEvaluation) {
  PolicySpec pair = WithAgentId(MakeTestSpec(2, 3, 3, {16}, {0, 0})), single = MakeTestSpec(1, 2, 3, {8, 8}, {0});
  pair.group = "pair";
  single.group = "single";
  const std::vector<PolicySpec> policies = {pair, single};
  PolicySnapshot weights;
  for (const PolicySpec& spec : policies) {
    for (HostTensor& tensor : RandomWeights(spec, 4)) weights.tensors.push_back(std::move(tensor));
  }
  const Player actors{.name = "actors", .policy = {.policies = &policies, .weights = &weights, .sample_actions = true}};
  EpisodeFilesPlan plan = Plan("b");
  plan.settings["ending"] = "truncated";
  const auto written = WriteEpisodes(plan, actors);
  ASSERT_TRUE(written.ok()) << written.status();
  const auto evaluated =
      RunEpisodes({.environment = &Scripted(), .settings = plan.settings, .first_seed = 30, .episodes = 4}, actors);
  ASSERT_TRUE(evaluated.ok()) << evaluated.status();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(written->episodes[i].group_returns, (*evaluated)[i].group_returns);
    EXPECT_EQ(written->episodes[i].statistics, (*evaluated)[i].statistics);
  }
  EXPECT_THAT(Values<uint8_t>(Read("b/episodes-00000.safetensors"), "terminated", {4}), Each(0));
}

TEST_F(EpisodeFilesTest, BeginsAFileWhenOneHasEnough) {
  EpisodeFilesPlan plan = Plan("c");
  plan.file_bytes = 1;
  int told = 0;
  plan.progress = [&](int finished) { told = finished; };
  const auto written = WriteEpisodes(plan, AlwaysOne());
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->files, 4);
  EXPECT_EQ(told, 4);
  const SafetensorsFile last = Read("c/episodes-00003.safetensors");
  EXPECT_THAT(Values<int64_t>(last, "seeds", {1}), ElementsAre(33));
  EXPECT_THAT(Values<float>(last, "state_extras", {3, 1}), ElementsAre(0, 10, 20));
}

TEST_F(EpisodeFilesTest, RefusesAFolderWithSomethingInIt) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "kept", {"text"}).ok());
  const auto written = WriteEpisodes(Plan(""), AlwaysOne());
  EXPECT_EQ(written.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(written.status().message(), HasSubstr("expected an empty folder"));
  EXPECT_THAT(folder_.Names(), ElementsAre("kept"));
}

TEST_F(EpisodeFilesTest, RefusesAnEpisodeThatIsTooLongToKeep) {
  EpisodeFilesPlan plan = Plan("d");
  plan.settings["length"] = "1000";
  plan.most_bytes = 10'000;
  const auto written = WriteEpisodes(plan, AlwaysOne());
  EXPECT_EQ(written.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(written.status().message(), HasSubstr("the episode with seed 30 did not end within"));
}

TEST_F(EpisodeFilesTest, AnErrorOfTheEnvironmentLeavesWholeFiles) {
  EpisodeFilesPlan plan = Plan("e");
  plan.file_bytes = 1;
  plan.settings["fault"] = "error";
  plan.settings["fault_step"] = "4";  // the third episode's last
  EXPECT_THAT(WriteEpisodes(plan, AlwaysOne()).status().message(), HasSubstr("simulator is gone"));
  EXPECT_THAT(Values<int64_t>(Read("e/episodes-00001.safetensors"), "lengths", {1}), ElementsAre(3));
}

}  // namespace
}  // namespace troupe
