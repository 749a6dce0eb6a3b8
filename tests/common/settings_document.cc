#include "tests/common/settings_document.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/config/field_path.h"
#include "common/config/setting_rules.h"
#include "common/specs/algorithm_card.h"
#include "google/protobuf/descriptor.h"
#include "proto/experiment.pb.h"
#include "proto/setting_options.pb.h"

namespace troupe {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

constexpr char kHead[] =
    R"(<!-- Written by `TROUPE_UPDATE_GOLDEN=1 build/release/bin/common_tests --gtest_filter=SettingsDocumentTest.*`
     from the comments and options of proto/experiment.proto and what it imports: change those. -->
# Settings

An experiment is a textproto of these (`deploy/experiments/`); any of them can be overridden with `--set SETTING=VALUE`,
a list as `--set policy.hidden_sizes=128,64`. What is outside its range is refused before anything starts, with file,
line and name.

On resume, when a run goes on with another value ([resuming](resuming.md)):

)";

std::string Code(const std::string& text) { return absl::StrCat("`", text, "`"); }

std::string ResumeName(SettingOptions::Resume resume) {
  return absl::AsciiStrToLower(SettingOptions::Resume_Name(resume));
}

std::string DefaultOf(const FieldDescriptor& field) {
  const SettingOptions& options = field.options().GetExtension(setting);
  if (options.required()) return "needed";
  return options.has_absent() ? options.absent() : Code(options.default_());
}

std::string RangeOf(const FieldDescriptor& field) {
  const SettingRule rule = *FindSettingRule(field);
  if (field.enum_type() != nullptr) return Code(absl::StrJoin(EnumNames(*field.enum_type()), "`, `"));
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) return "`true`, `false`";
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) return rule.characters.empty() ? "text" : rule.Range();
  const std::string& unit = field.options().GetExtension(setting).unit();
  return absl::StrCat(field.is_repeated() ? "each in " : "", rule.Range(), unit.empty() ? "" : " ", unit);
}

class Document {
 public:
  explicit Document(const ProtoComments& comments) : comments_(comments), text_(kHead) {}

  std::string Write() {
    const auto& resume = *SettingOptions::Resume_descriptor();
    text_ += "| | |\n|---|---|\n";
    for (int i = 1; i < resume.value_count(); ++i) {
      const auto value = static_cast<SettingOptions::Resume>(resume.value(i)->number());
      absl::StrAppend(&text_, "| ", ResumeName(value), " | ", comments_.Of(*resume.value(i)), " |\n");
    }
    const Descriptor& run = *Experiment::descriptor();
    text_ += "\n## The run\n";
    Table(run, "");
    for (int i = 0; i < run.field_count(); ++i) Section(*run.field(i));
    return text_;
  }

 private:
  // A message of the experiment: what it is for, its settings, what their choices mean.
  void Section(const FieldDescriptor& field) {
    if (field.message_type() == nullptr || field.is_map()) return;
    absl::StrAppend(&text_, "\n## ", Code(field.name()), "\n");
    Paragraph(comments_.Of(field));
    Paragraph(comments_.Of(*field.message_type()));
    const auto& algorithms = field.options().GetExtension(setting).algorithms();
    if (!algorithms.empty())
      Paragraph(absl::StrCat("With `algorithm.name` ", Code(absl::StrJoin(algorithms, "`, `")), "."));
    Table(*field.message_type(), field.name() + ".");
    Nested(*field.message_type(), field.name() + ".");
    if (field.message_type() == AlgorithmSettings::descriptor()) Cards();
  }

  // Messages below a section's own, a table each.
  void Nested(const Descriptor& type, const std::string& prefix) {
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (field.message_type() == nullptr || field.is_map()) continue;
      const std::string path = absl::StrCat(prefix, field.name(), field.is_repeated() ? ".NUMBER" : "");
      Paragraph(absl::StrCat(Code(path), field.is_repeated() ? ", counted from 0. " : ". ", comments_.Of(field),
                             comments_.Of(field).empty() ? "" : " ", comments_.Of(*field.message_type())));
      Table(*field.message_type(), path + ".");
      Nested(*field.message_type(), path + ".");
    }
  }

  void Cards() {
    text_ += "\n";
    for (const AlgorithmCard& card : AllAlgorithmCards()) {
      absl::StrAppend(&text_, "- ", Code(card.name), ": ", card.summary, "; ",
                      absl::StripPrefix(FormatCard(card), card.name + ": "), "\n");
    }
  }

  void Paragraph(const std::string& text) {
    if (!text.empty()) absl::StrAppend(&text_, "\n", text, "\n");
  }

  void Table(const Descriptor& type, const std::string& prefix) {
    text_ += "\n| setting | default | range | on resume | meaning |\n|---|---|---|---|---|\n";
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (field.message_type() != nullptr) continue;
      const std::vector<std::string> cells = {Code(prefix + field.name()), DefaultOf(field), RangeOf(field),
                                              ResumeName(FindSettingRule(field)->resume), comments_.Of(field)};
      absl::StrAppend(&text_, "| ", absl::StrReplaceAll(absl::StrJoin(cells, "\n"), {{"|", "\\|"}, {"\n", " | "}}),
                      " |\n");
    }
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (field.is_map())
        Paragraph(absl::StrCat(Code(absl::StrCat(prefix, field.name(), ".NAME")), ": ", comments_.Of(field)));
      if (field.enum_type() != nullptr) Choices(field, prefix + field.name());
    }
  }

  void Choices(const FieldDescriptor& field, const std::string& path) {
    std::vector<std::string> lines;
    for (int i = 1; i < field.enum_type()->value_count(); ++i) {
      const EnumValueDescriptor& value = *field.enum_type()->value(i);
      const std::string comment = comments_.Of(value);
      if (!comment.empty()) lines.push_back(absl::StrCat("- ", Code(value.name()), ": ", comment));
    }
    if (!lines.empty()) absl::StrAppend(&text_, "\n", Code(path), ":\n\n", absl::StrJoin(lines, "\n"), "\n");
  }

  const ProtoComments& comments_;
  std::string text_;
};

}  // namespace

std::string SettingsDocument(const ProtoComments& comments) { return Document(comments).Write(); }

}  // namespace troupe
