// Holds the table of defaults and ranges to the fields of proto/experiment.proto and to what the comments there say.
#include "common/config/setting_rules.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <regex>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/config/experiment_loader.h"
#include "common/config/field_path.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "proto/experiment.pb.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Every scalar field of the experiment with a path to it.
void Collect(const Descriptor& type, const std::string& prefix,
             std::vector<std::pair<std::string, const FieldDescriptor*>>* fields) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.is_map()) continue;
    if (field.message_type() != nullptr) {
      Collect(*field.message_type(), absl::StrCat(prefix, field.name(), "."), fields);
    } else {
      fields->emplace_back(prefix + field.name(), &field);
    }
  }
}

std::vector<std::pair<std::string, const FieldDescriptor*>> AllFields() {
  std::vector<std::pair<std::string, const FieldDescriptor*>> fields;
  Collect(*Experiment::descriptor(), "", &fields);
  return fields;
}

bool IsNumber(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE || field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
}

TEST(SettingRulesTest, HasExactlyOneRowForEveryScalarField) {
  std::set<std::string> fields, rows;
  for (const auto& [path, field] : AllFields())
    fields.insert(absl::StrCat(field->containing_type()->name(), ".", field->name()));
  for (const SettingRule& rule : SettingRules())
    EXPECT_TRUE(rows.insert(rule.field).second) << rule.field << " comes twice";
  EXPECT_EQ(rows, fields);
}

TEST(SettingRulesTest, EveryFieldSaysWhetherARunMayGoOnWithAnotherValue) {
  for (const auto& [path, field] : AllFields()) {
    const SettingRule* const rule = FindSettingRule(*field);
    ASSERT_NE(rule, nullptr) << path;
    EXPECT_NE(rule->resume, SettingRule::OnResume::kUnclassified) << path;
  }
}

TEST(SettingRulesTest, EveryDefaultCanBeWrittenAndLiesInItsRange) {
  Experiment experiment = MinimalExperiment();
  FillDefaults(&experiment);
  EXPECT_TRUE(ValidateExperiment(experiment).ok()) << ValidateExperiment(experiment);
  for (const auto& [path, field] : AllFields()) {
    const SettingRule& rule = *FindSettingRule(*field);
    if (rule.presence != SettingRule::Presence::kDefaulted) continue;
    const absl::Status status = SetFieldByPath(&experiment, path, rule.default_text);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_TRUE(ValidateExperiment(experiment).ok()) << path;
  }
}

std::string WithOverride(const std::string& path, double value) {
  Experiment experiment = MinimalExperiment();
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
  for (const auto& [path, field] : AllFields()) {
    if (!IsNumber(*field)) continue;
    const SettingRule& rule = *FindSettingRule(*field);
    ASSERT_TRUE(std::isfinite(rule.low) && std::isfinite(rule.high)) << path << " has no range";
    EXPECT_THAT(WithOverride(path, Beside(*field, rule.low, -1)), testing::StartsWith(path))
        << "below " << rule.Range();
    EXPECT_THAT(WithOverride(path, Beside(*field, rule.high, +1)), testing::StartsWith(path))
        << "above " << rule.Range();
    if (rule.low_is_open) {
      EXPECT_THAT(WithOverride(path, rule.low), testing::StartsWith(path));
    }
    ++checked;
  }
  EXPECT_GE(checked, 37);
}

TEST(SettingRulesTest, AdmitsTheEndsOfRanges) {
  const SettingRule closed{.field = "", .low = 0, .high = 1},
      open{.field = "", .low = 0, .high = 1, .low_is_open = true};
  EXPECT_TRUE(closed.Admits(0) && closed.Admits(1) && open.Admits(1) && open.Admits(1e-300));
  EXPECT_FALSE(closed.Admits(-1e-300) || closed.Admits(1.0000001) || open.Admits(0) || closed.Admits(NAN));
  EXPECT_EQ(closed.Range(), "[0, 1]");
  EXPECT_EQ(open.Range(), "(0, 1]");
}

// The comments are what people read: where one states "Default X." or a range for a field, the table must say the same.
TEST(SettingRulesTest, AgreesWithTheCommentsOfTheProto) {
  std::ifstream file(std::string(TROUPE_SOURCE_DIR) + "/proto/experiment.proto");
  ASSERT_TRUE(file);
  const std::regex message_line(R"(message (\w+) \{)"),
      field_line(R"(^ *(?:optional|repeated) [\w.]+ (\w+) = \d+;(.*))");
  const std::regex default_text(R"(Default \[?(\d[\w.,\- ]*\d|\d|true|false|"[^"]*")\]?)"),
      range_text(R"(([\[(])([\w.\-]+), ([\w.\-]+)\])");
  std::string line, message, comment;
  int defaults = 0, ranges = 0;
  while (std::getline(file, line)) {
    std::smatch match;
    if (std::regex_search(line, match, message_line)) message = match[1];
    if (line.find_first_not_of(' ') != std::string::npos && line.substr(line.find_first_not_of(' '), 2) == "//") {
      comment += line + " ";
      continue;
    }
    if (std::regex_search(line, match, field_line)) {
      const std::string all = comment + match[2].str();
      const std::string name = message + "." + match[1].str();
      const auto rule = std::find_if(SettingRules().begin(), SettingRules().end(),
                                     [&](const SettingRule& r) { return name == r.field; });
      std::smatch said;
      if (rule != SettingRules().end() && std::regex_search(all, said, default_text)) {
        std::string text = said[1];
        text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '"'; }), text.end());
        while (!text.empty() && text.back() == '.') text.pop_back();
        const auto number = [](const std::string& t) { return std::strtod(t.c_str(), nullptr); };
        EXPECT_TRUE(text == rule->default_text || (text.find(',') == std::string::npos &&
                                                   number(text) == number(rule->default_text) && number(text) != 0))
            << name << ": the comment says " << text << ", the table " << rule->default_text;
        ++defaults;
      }
      const std::string after_default = std::regex_replace(all, std::regex(R"(Default \[64, 64\])"), "");
      if (rule != SettingRules().end() && std::regex_search(after_default, said, range_text)) {
        EXPECT_EQ(said[1] == "(", rule->low_is_open) << name;
        EXPECT_EQ(std::stod(said[2]), rule->low) << name;
        EXPECT_EQ(std::stod(said[3]), rule->high) << name;
        ++ranges;
      }
    }
    comment.clear();
  }
  EXPECT_GE(defaults, 30);
  EXPECT_GE(ranges, 25);
}

}  // namespace
}  // namespace troupe
