#include "common/config/experiment_text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/config/field_path.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace troupe {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

constexpr size_t kMaxTextBytes = size_t{1} << 20;

// Every message type an experiment is made of, each once.
void CollectTypes(const Descriptor& type, std::vector<const Descriptor*>* types) {
  for (const Descriptor* known : *types) {
    if (known == &type) return;
  }
  types->push_back(&type);
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->message_type() != nullptr) CollectTypes(*type.field(i)->message_type(), types);
  }
}

// The parser's message in terms of the experiment: what is known instead of what was written.
//   Message type "troupe.PpoSettings" has no field named "clpi".
//   Unknown enumeration value of "PIPELIND" for field "mode".
std::string Explain(const std::string& message) {
  const std::vector<std::string> pieces = absl::StrSplit(message, '"');
  if (pieces.size() != 5) return message;
  std::vector<const Descriptor*> types;
  CollectTypes(*Experiment::descriptor(), &types);
  const std::string &first = pieces[1], &second = pieces[3];
  if (pieces[2] == " has no field named ") {
    for (const Descriptor* type : types) {
      if (type->full_name() != first) continue;
      return absl::StrCat(second, ": ", type->name(), " has no field of this name",
                          Suggestion(second, FieldNames(*type)));
    }
  }
  if (pieces[0] == "Unknown enumeration value of ") {
    std::vector<std::string> names;
    for (const Descriptor* type : types) {
      const FieldDescriptor* const field = type->FindFieldByName(second);
      if (field != nullptr && field->enum_type() != nullptr) names = EnumNames(*field->enum_type());
    }
    return absl::StrCat(second, ": ", first, " is not one of ", absl::StrJoin(names, " | "), Suggestion(first, names));
  }
  return message;
}

class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  explicit FirstError(const std::string& source) : source_(source) {}
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (!text_.empty()) return;
    text_ = line < 0 ? absl::StrCat(source_, ": ", Explain(message))
                     : absl::StrCat(source_, ":", line + 1, ":", column + 1, ": ", Explain(message));
  }
  const std::string& text() const { return text_; }

 private:
  const std::string source_;
  std::string text_;
};

std::string At(const std::string& source, const TextFormat::ParseLocation& location) {
  return location.line < 0 ? source : absl::StrCat(source, ":", location.line + 1, ":", location.column + 1);
}

absl::Status AddOrigins(const Message& message, TextFormat::ParseInfoTree* tree, const std::string& prefix,
                        FieldOrigins* origins);

absl::Status AddNested(const Message& message, const FieldDescriptor& field, int index, TextFormat::ParseInfoTree* tree,
                       const std::string& path, FieldOrigins* origins) {
  if (tree == nullptr) return absl::OkStatus();
  return AddOrigins(message, tree->GetTreeForNested(&field, index), path + ".", origins);
}

absl::Status AddMapOrigins(const Message& message, const FieldDescriptor& field, TextFormat::ParseInfoTree* tree,
                           const std::string& path, FieldOrigins* origins) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const FieldDescriptor& value = *field.message_type()->map_value();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    const std::string key = entry.GetReflection()->GetString(entry, field.message_type()->map_key());
    const std::string entry_path = absl::StrCat(path, ".", key);
    const std::string origin = At(origins->source(), tree->GetLocation(&field, i));
    if (!origins->Add(entry_path, origin)) {
      return absl::InvalidArgumentError(
          absl::StrCat(origin, ": ", entry_path, ": written a second time, first at ", origins->Of(entry_path)));
    }
    TextFormat::ParseInfoTree* const entry_tree = tree->GetTreeForNested(&field, i);
    if (value.message_type() == nullptr || entry_tree == nullptr) continue;
    RETURN_IF_ERROR(
        AddNested(entry.GetReflection()->GetMessage(entry, &value), value, -1, entry_tree, entry_path, origins));
  }
  return absl::OkStatus();
}

absl::Status AddOrigins(const Message& message, TextFormat::ParseInfoTree* tree, const std::string& prefix,
                        FieldOrigins* origins) {
  if (tree == nullptr) return absl::OkStatus();
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string path = prefix + field->name();
    if (field->is_map()) {
      RETURN_IF_ERROR(AddMapOrigins(message, *field, tree, path, origins));
      continue;
    }
    if (field->message_type() != nullptr && field->is_repeated()) {
      const google::protobuf::Reflection& reflection = *message.GetReflection();
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        const std::string element = absl::StrCat(path, ".", i);
        origins->Add(element, At(origins->source(), tree->GetLocation(field, i)));
        RETURN_IF_ERROR(AddNested(reflection.GetRepeatedMessage(message, field, i), *field, i, tree, element, origins));
      }
      continue;
    }
    origins->Add(path, At(origins->source(), tree->GetLocation(field, field->is_repeated() ? 0 : -1)));
    if (field->message_type() == nullptr) continue;
    RETURN_IF_ERROR(AddNested(message.GetReflection()->GetMessage(message, field), *field, -1, tree, path, origins));
  }
  return absl::OkStatus();
}

}  // namespace

std::string FieldOrigins::Of(std::string field) const {
  while (!field.empty()) {
    const auto found = origins_.find(field);
    if (found != origins_.end()) return found->second;
    const size_t dot = field.rfind('.');
    field.resize(dot == std::string::npos ? 0 : dot);
  }
  return source_;
}

absl::StatusOr<Experiment> ReadExperimentText(const std::string& text, FieldOrigins* origins) {
  if (text.size() > kMaxTextBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(origins->source(), ": ", text.size(), " bytes, expected at most ", kMaxTextBytes));
  }
  FirstError errors(origins->source());
  TextFormat::ParseInfoTree tree;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.WriteLocationsTo(&tree);
  Experiment experiment;
  if (!parser.ParseFromString(text, &experiment)) return absl::InvalidArgumentError(errors.text());
  RETURN_IF_ERROR(AddOrigins(experiment, &tree, "", origins));
  return experiment;
}

}  // namespace troupe
