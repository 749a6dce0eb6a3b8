#include "learner/commands/explain.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/base/status_macros.h"
#include "common/config/field_path.h"
#include "common/config/proto_comments.h"
#include "common/config/setting_names.h"
#include "common/config/setting_rules.h"
#include "proto/experiment.pb.h"
#include "proto/setting_options.pb.h"

namespace troupe {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr size_t kWidth = 100;
constexpr size_t kValueColumn = 12;

// Broken between words, every line behind `indent` spaces.
std::string Wrapped(const std::string& text, size_t indent) {
  std::string out, line(indent, ' ');
  for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (line.size() > indent && line.size() + 1 + word.size() > kWidth) {
      absl::StrAppend(&out, line, "\n");
      line.assign(indent, ' ');
    }
    absl::StrAppend(&line, line.size() > indent ? " " : "", word);
  }
  return line.size() > indent ? absl::StrCat(out, line, "\n") : out;
}

std::string Row(const std::string& name, const std::string& value) {
  if (value.empty()) return "";
  std::string text = Wrapped(value, kValueColumn);
  text.replace(2, name.size(), name);
  return text;
}

std::string DefaultOf(const FieldDescriptor& field) {
  const SettingOptions& options = field.options().GetExtension(setting);
  if (options.required()) return "none: a run needs it";
  if (options.has_absent()) return options.absent();
  return options.default_().empty() ? "\"\"" : options.default_();
}

std::string RangeOf(const FieldDescriptor& field) {
  if (field.enum_type() != nullptr) return absl::StrJoin(EnumNames(*field.enum_type()), " | ");
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) return "true | false";
  const SettingRule rule = *FindSettingRule(field);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) return rule.characters.empty() ? "text" : rule.Range();
  const std::string& unit = field.options().GetExtension(setting).unit();
  return absl::StrCat(field.is_repeated() ? "each in " : "", rule.Range(), unit.empty() ? "" : " ", unit);
}

std::string ResumeOf(const FieldDescriptor& field) {
  const SettingOptions::Resume resume = FindSettingRule(field)->resume;
  const auto* const value = SettingOptions::Resume_descriptor()->FindValueByNumber(resume);
  return absl::StrCat(absl::AsciiStrToLower(value->name()), ": ", ProtoComments::OfThisBuild().Of(*value));
}

// The algorithms whose settings the field's message holds; empty: it is everybody's.
std::string AlgorithmsOf(const FieldDescriptor& field) {
  const Descriptor& run = *Experiment::descriptor();
  for (int i = 0; i < run.field_count(); ++i) {
    const auto& algorithms = run.field(i)->options().GetExtension(setting).algorithms();
    if (run.field(i)->message_type() == field.containing_type() && !algorithms.empty()) {
      return absl::StrJoin(algorithms, ", ");
    }
  }
  return "";
}

std::string Choices(const FieldDescriptor& field) {
  if (field.enum_type() == nullptr) return "";
  std::string text;
  for (int i = 1; i < field.enum_type()->value_count(); ++i) {
    const auto& value = *field.enum_type()->value(i);
    const std::string comment = ProtoComments::OfThisBuild().Of(value);
    if (!comment.empty()) absl::StrAppend(&text, "  ", value.name(), "\n", Wrapped(comment, 4));
  }
  return text.empty() ? "" : absl::StrCat("\n", text);
}

std::string ExplainScalar(const NamedSetting& named) {
  const FieldDescriptor& field = *named.field;
  return absl::StrCat(named.name, "\n\n", Wrapped(ProtoComments::OfThisBuild().Of(field), 2), "\n",
                      Row("default", DefaultOf(field)), Row("range", RangeOf(field)), Row("on resume", ResumeOf(field)),
                      Row("of", AlgorithmsOf(field)), Choices(field));
}

// "Clip of the ratio.": the first sentence of a comment.
std::string FirstSentence(const std::string& comment) {
  const size_t end = comment.find(". ");
  return end == std::string::npos ? comment : comment.substr(0, end + 1);
}

// A line for each of `type`'s fields: its name, its default, what it means.
std::string ListFields(const Descriptor& type, const std::string& prefix) {
  size_t name_width = 0;
  for (int i = 0; i < type.field_count(); ++i) name_width = std::max(name_width, type.field(i)->name().size());
  std::string text;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string value = field.message_type() != nullptr ? (field.is_map()        ? ".NAME"
                                                                 : field.is_repeated() ? ".NUMBER"
                                                                                       : "…")
                                                              : DefaultOf(field);
    std::string comment = ProtoComments::OfThisBuild().Of(field);
    if (comment.empty() && field.message_type() != nullptr) {
      comment = ProtoComments::OfThisBuild().Of(*field.message_type());
    }
    std::string line = absl::StrCat("  ", prefix, field.name());
    line.resize(std::max(line.size(), 2 + prefix.size() + name_width), ' ');
    absl::StrAppend(&text, line, "  ", value, "\n", Wrapped(FirstSentence(comment), 6));
  }
  return text;
}

}  // namespace

absl::StatusOr<std::string> ExplainSetting(const std::string& name) {
  ASSIGN_OR_RETURN(const NamedSetting named, FindSettingName(name));
  const FieldDescriptor& field = *named.field;
  const ProtoComments& comments = ProtoComments::OfThisBuild();
  if (field.message_type() == nullptr) return ExplainScalar(named);
  const Descriptor* const inner =
      field.is_map() ? field.message_type()->map_value()->message_type() : field.message_type();
  std::string text = absl::StrCat(named.name, "\n\n", Wrapped(comments.Of(field), 2));
  if (inner == nullptr) return text;
  absl::StrAppend(&text, Wrapped(comments.Of(*inner), 2), Row("of", AlgorithmsOf(*inner->field(0))), "\n",
                  ListFields(*inner, ""));
  return text;
}

std::string ListSettings() {
  return absl::StrCat(ListFields(*Experiment::descriptor(), ""),
                      "\n`learner explain NAME` tells more; of a part, what is in it.\n");
}

}  // namespace troupe
