#include "common/config/setting_names.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/all_settings.h"

namespace troupe {
namespace {

using testing::HasSubstr;

std::string Found(const std::string& text) {
  const absl::StatusOr<NamedSetting> found = FindSettingName(text);
  return found.ok() ? found->name : std::string(found.status().message());
}

TEST(SettingNamesTest, EverySettingOfAnExperimentIsAmongThem) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  for (const NamedSetting& setting : AllSettingNames()) fields.push_back(setting.field);
  for (const auto& [path, field] : AllSettings()) {
    EXPECT_NE(std::find(fields.begin(), fields.end(), field), fields.end()) << path;
  }
}

TEST(SettingNamesTest, AreFoundByTheirWholeNameWithKeysAndNumbersInTheirPlaces) {
  EXPECT_EQ(Found("ppo.clip"), "ppo.clip");
  EXPECT_EQ(Found("ppo"), "ppo");
  EXPECT_EQ(Found("group_policies.junction.sharing"), "group_policies.NAME.sharing");
  EXPECT_EQ(Found("curriculum.stages.0.name"), "curriculum.stages.NUMBER.name");
  EXPECT_EQ(Found("curriculum.stages"), "curriculum.stages.NUMBER");
  EXPECT_EQ(Found("environment.settings.grid"), "environment.settings.NAME");
}

TEST(SettingNamesTest, TheEndIsEnoughWhereNoOtherEndsSo) {
  EXPECT_EQ(Found("clip"), "ppo.clip");
  EXPECT_THAT(Found("minibatch_size"), HasSubstr("which \"minibatch_size\": "));
  EXPECT_THAT(Found("minibatch_size"), HasSubstr("ppo.minibatch_size"));
  EXPECT_THAT(Found("minibatch_size"), HasSubstr("q_learning.minibatch_size"));
  EXPECT_EQ(FindSettingName("minibatch_size").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(SettingNamesTest, WhatIsNoneIsToldWithTheNearest) {
  EXPECT_EQ(Found("ppo.clpi"), "there is no setting \"ppo.clpi\"; did you mean \"ppo.clip\"?");
  EXPECT_EQ(Found("colection"), "there is no setting \"colection\"; did you mean \"collection\"?");
  EXPECT_EQ(Found("zzzzzzzzzz"), "there is no setting \"zzzzzzzzzz\"");
  EXPECT_EQ(FindSettingName("").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace troupe
