// Holds the options of proto/experiment.proto to its fields: every setting says all it has to, and means it.
#include "common/config/setting_rules.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/config/experiment_loader.h"
#include "common/config/field_path.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "proto/experiment.pb.h"
#include "tests/common/all_settings.h"

namespace troupe {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

bool IsNumber(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE || field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
}

TEST(SettingOptionsTest, EverySettingHasADefaultOrIsNeededOrSaysWhatItsAbsenceMeans) {
  for (const auto& [path, field] : AllSettings()) {
    const SettingOptions& options = field->options().GetExtension(setting);
    EXPECT_TRUE(options.has_default_() || options.required() || !options.absent().empty()) << path;
  }
}

TEST(SettingOptionsTest, EverySettingSaysWhetherARunMayGoOnWithAnotherValue) {
  for (const auto& [path, field] : AllSettings()) {
    EXPECT_NE(field->options().GetExtension(setting).resume(), SettingOptions::RESUME_UNSPECIFIED) << path;
  }
}

TEST(SettingOptionsTest, EveryRealNumberHasTwoBoundsAndNothingElseHasWhatItHasNoUseFor) {
  for (const auto& [path, field] : AllSettings()) {
    const SettingOptions& options = field->options().GetExtension(setting);
    const bool low = options.low_case() != SettingOptions::LOW_NOT_SET,
               high = options.high_case() != SettingOptions::HIGH_NOT_SET;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
      EXPECT_TRUE(low && high) << path;
    }
    if (!IsNumber(*field)) {
      EXPECT_FALSE(low || high || !options.unit().empty()) << path;
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
      EXPECT_EQ(options.characters(), "") << path;
    }
    EXPECT_EQ(options.characters().empty(), options.max_characters() == 0) << path;
    EXPECT_TRUE(options.algorithms().empty()) << path;
    const SettingRule rule = *FindSettingRule(*field);
    if (IsNumber(*field)) {
      EXPECT_LT(rule.low, rule.high) << path;
    }
  }
}

// A message says whose settings it is, if it is an algorithm's, and nothing else: the rest is its fields' to say.
TEST(SettingOptionsTest, MessagesAndMapsHaveNoRules) {
  std::vector<const Descriptor*> types = {Experiment::descriptor()};
  for (size_t t = 0; t < types.size(); ++t) {
    for (int i = 0; i < types[t]->field_count(); ++i) {
      const FieldDescriptor& field = *types[t]->field(i);
      if (field.message_type() == nullptr) continue;
      if (!field.is_map()) types.push_back(field.message_type());
      EXPECT_FALSE(FindSettingRule(field).has_value()) << field.full_name();
      SettingOptions options = field.options().GetExtension(setting);
      EXPECT_EQ(!options.algorithms().empty(), field.real_containing_oneof() != nullptr) << field.full_name();
      options.clear_algorithms();
      EXPECT_EQ(options.ByteSizeLong(), 0) << field.full_name();
    }
  }
  EXPECT_GE(types.size(), 9);
}

// Of an algorithm that has the setting.
Experiment ExperimentWith(const std::string& path) {
  Experiment experiment = ExperimentWithLists();
  const FieldDescriptor& member = *Experiment::descriptor()->FindFieldByName(path.substr(0, path.find('.')));
  const auto& algorithms = member.options().GetExtension(setting).algorithms();
  if (!algorithms.empty()) experiment.mutable_algorithm()->set_name(algorithms[0]);
  return experiment;
}

TEST(SettingRulesTest, EveryDefaultCanBeWrittenAndLiesInItsRange) {
  for (const auto& [path, field] : AllSettings()) {
    const SettingRule rule = *FindSettingRule(*field);
    if (rule.presence != SettingRule::Presence::kDefaulted) continue;
    Experiment experiment = ExperimentWith(path);
    FillDefaults(&experiment);
    EXPECT_TRUE(ValidateExperiment(experiment).ok()) << ValidateExperiment(experiment);
    const absl::Status status = SetFieldByPath(&experiment, path, rule.default_text);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_TRUE(ValidateExperiment(experiment).ok()) << path;
  }
}

std::string WithOverride(const std::string& path, double value) {
  Experiment experiment = ExperimentWith(path);
  const absl::Status written = SetFieldByPath(&experiment, path, absl::StrCat(value));
  if (!written.ok()) return std::string(written.message());
  return std::string(ValidateExperiment(experiment).message());
}

// A number beside `limit` by as little as the field's type can say.
double Beside(const FieldDescriptor& field, double limit, double direction) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
    return limit == 0 ? direction * 1e-5 : limit * (1 + direction * std::copysign(1e-4, limit));
  }
  return limit < 1e6 ? limit + direction : limit * (1 + direction * 1e-4);
}

TEST(SettingRulesTest, EveryNumberIsRefusedJustOutsideItsRangeByName) {
  int checked = 0;
  for (const auto& [path, field] : AllSettings()) {
    if (!IsNumber(*field)) continue;
    const SettingRule rule = *FindSettingRule(*field);
    ASSERT_TRUE(std::isfinite(rule.low) && std::isfinite(rule.high)) << path << " has no range";
    EXPECT_THAT(WithOverride(path, Beside(*field, rule.low, -1)), testing::StartsWith(path))
        << "below " << rule.Range();
    EXPECT_THAT(WithOverride(path, Beside(*field, rule.high, +1)), testing::StartsWith(path))
        << "above " << rule.Range();
    if (rule.low_is_open) {
      EXPECT_THAT(WithOverride(path, rule.low), testing::StartsWith(path));
    }
    if (rule.high_is_open) {
      EXPECT_THAT(WithOverride(path, rule.high), testing::StartsWith(path));
    }
    ++checked;
  }
  EXPECT_GE(checked, 39);
}

TEST(SettingRulesTest, AdmitsTheEndsOfRanges) {
  const SettingRule closed{.low = 0, .high = 1}, open{.low = 0, .high = 1, .low_is_open = true, .high_is_open = true};
  EXPECT_TRUE(closed.Admits(0) && closed.Admits(1) && open.Admits(0.9999999) && open.Admits(1e-300));
  EXPECT_FALSE(closed.Admits(-1e-300) || closed.Admits(1.0000001) || closed.Admits(NAN));
  EXPECT_FALSE(open.Admits(0.0) || open.Admits(1.0) || open.Admits(NAN));
  EXPECT_EQ(closed.Range(), "[0, 1]");
  EXPECT_EQ(open.Range(), "(0, 1)");
}

TEST(SettingRulesTest, NamesAreOfTheirCharactersAndNotTooLong) {
  const SettingRule name{.characters = "[a-c]", .max_characters = 3}, any;
  EXPECT_TRUE(name.Admits("a") && name.Admits("abc") && any.Admits("") && any.Admits("ä"));
  EXPECT_FALSE(name.Admits("") || name.Admits("abca") || name.Admits("ad") || name.Admits("a\n"));
  EXPECT_EQ(name.Range(), "a name of [a-c]+ (at most 3 characters)");
}

// 2^32 - 1 and 2^64 - 1: what the types hold (protobuf's language guide, scalar value types).
TEST(SettingRulesTest, WholeNumbersHaveTheBoundsOfTheirType) {
  const auto rule_of = [](const Descriptor& type, const std::string& name) {
    return *FindSettingRule(*type.FindFieldByName(name));
  };
  EXPECT_EQ(rule_of(*PpoSettings::descriptor(), "minibatch_size").Range(), "[0, 2^32 - 1]");
  EXPECT_EQ(rule_of(*Experiment::descriptor(), "seed").Range(), "[0, 2^64 - 1]");
}

}  // namespace
}  // namespace troupe
