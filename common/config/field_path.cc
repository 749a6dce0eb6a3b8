#include "common/config/field_path.h"

#include <cmath>
#include <limits>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"
#include "common/config/settings_reader.h"

namespace troupe {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::Status Wrong(const std::string& path, const std::string& text, const std::string& expected) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": \"", text, "\" is not ", expected));
}

absl::StatusOr<uint64_t> ParseWhole(const std::string& path, const std::string& text, uint64_t highest) {
  const std::string expected = absl::StrCat("a whole number in [0, ", highest, "]");
  uint64_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) {
    double real = 0;
    if (!absl::SimpleAtod(text, &real) || !(real >= 0 && real <= 0x1p53) || real != std::floor(real)) {
      return Wrong(path, text, expected);
    }
    value = static_cast<uint64_t>(real);
  }
  if (value > highest) return Wrong(path, text, expected);
  return value;
}

absl::StatusOr<const EnumValueDescriptor*> ParseEnum(const std::string& path, const std::string& text,
                                                     const EnumDescriptor& type) {
  const EnumValueDescriptor* value = type.FindValueByName(text);
  if (value != nullptr) return value;
  const std::vector<std::string> names = EnumNames(type);
  return Wrong(path, text, absl::StrCat("one of ", absl::StrJoin(names, " | "), Suggestion(text, names)));
}

// Writes a singular field, or appends to a repeated one.
absl::Status WriteScalar(Message* message, const FieldDescriptor& field, const std::string& path,
                         const std::string& text) {
  const Reflection& reflection = *message->GetReflection();
  const bool append = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      double value = 0;
      if (!absl::SimpleAtod(text, &value) || !std::isfinite(value)) return Wrong(path, text, "a number");
      append ? reflection.AddDouble(message, &field, value) : reflection.SetDouble(message, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      ASSIGN_OR_RETURN(const uint64_t value, ParseWhole(path, text, std::numeric_limits<uint32_t>::max()));
      append ? reflection.AddUInt32(message, &field, value) : reflection.SetUInt32(message, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      ASSIGN_OR_RETURN(const uint64_t value, ParseWhole(path, text, std::numeric_limits<uint64_t>::max()));
      append ? reflection.AddUInt64(message, &field, value) : reflection.SetUInt64(message, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      bool value = false;
      if (!absl::SimpleAtob(text, &value)) return Wrong(path, text, "true or false");
      append ? reflection.AddBool(message, &field, value) : reflection.SetBool(message, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      ASSIGN_OR_RETURN(const EnumValueDescriptor* const value, ParseEnum(path, text, *field.enum_type()));
      append ? reflection.AddEnum(message, &field, value) : reflection.SetEnum(message, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_STRING:
      append ? reflection.AddString(message, &field, text) : reflection.SetString(message, &field, text);
      return absl::OkStatus();
    default:
      return absl::InternalError(absl::StrCat(path, ": fields of type ", field.cpp_type_name(), " cannot be written"));
  }
}

// The map entry with `key`, made when absent.
Message* MapEntry(Message* message, const FieldDescriptor& field, const std::string& key) {
  const Reflection& reflection = *message->GetReflection();
  const FieldDescriptor* const key_field = field.message_type()->map_key();
  for (int i = 0; i < reflection.FieldSize(*message, &field); ++i) {
    Message* const entry = reflection.MutableRepeatedMessage(message, &field, i);
    if (entry->GetReflection()->GetString(*entry, key_field) == key) return entry;
  }
  Message* const entry = reflection.AddMessage(message, &field);
  entry->GetReflection()->SetString(entry, key_field, key);
  return entry;
}

// The field that is set and excludes this one, or null.
const FieldDescriptor* OtherOfOneof(const Message& message, const FieldDescriptor& field) {
  if (field.real_containing_oneof() == nullptr) return nullptr;
  const FieldDescriptor* const set =
      message.GetReflection()->GetOneofFieldDescriptor(message, field.real_containing_oneof());
  return set == &field ? nullptr : set;
}

absl::Status UnknownField(const Descriptor& type, const std::string& path, const std::string& name) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": ", type.name(), " has no field \"", name, "\"", Suggestion(name, FieldNames(type))));
}

absl::Status SetAt(Message* message, const std::string& path, std::string_view rest, const std::string& text);

// `rest`: "NUMBER.FIELD", of one of the list's messages or of the one to come after them.
absl::Status SetInList(Message* message, const FieldDescriptor& field, const std::string& path, std::string_view rest,
                       const std::string& text) {
  const Reflection& reflection = *message->GetReflection();
  const int size = reflection.FieldSize(*message, &field);
  const size_t dot = rest.find('.');
  int index = 0;
  if (dot == std::string_view::npos || !absl::SimpleAtoi(std::string(rest.substr(0, dot)), &index) || index < 0 ||
      index > size) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected ", field.name(), ".NUMBER.FIELD with a number in [0, ", size, "]"));
  }
  Message* const element = index == size ? reflection.AddMessage(message, &field)
                                         : reflection.MutableRepeatedMessage(message, &field, index);
  return SetAt(element, path, rest.substr(dot + 1), text);
}

absl::Status SetAt(Message* message, const std::string& path, std::string_view rest, const std::string& text) {
  const Descriptor& type = *message->GetDescriptor();
  const size_t dot = rest.find('.');
  const std::string name(rest.substr(0, dot));
  const FieldDescriptor* const field = type.FindFieldByName(name);
  if (field == nullptr) return UnknownField(type, path, name);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);

  if (field->is_map()) {
    const FieldDescriptor& value = *field->message_type()->map_value();
    const bool nested = value.message_type() != nullptr;
    const size_t end = nested ? rest.rfind('.') : rest.size();
    if (rest.empty() || end == std::string_view::npos || end == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": expected ", field->name(), nested ? ".NAME.FIELD" : ".NAME"));
    }
    Message* const entry = MapEntry(message, *field, std::string(rest.substr(0, end)));
    if (!nested) return WriteScalar(entry, value, path, text);
    return SetAt(entry->GetReflection()->MutableMessage(entry, &value), path, rest.substr(end + 1), text);
  }
  if (field->message_type() != nullptr && field->is_repeated()) {
    return SetInList(message, *field, path, rest, text);
  }
  if (field->message_type() != nullptr) {
    if (rest.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": is a group of settings; write one of ", path, ".",
                                                     absl::StrJoin(FieldNames(*field->message_type()), " | .")));
    }
    const FieldDescriptor* const set = OtherOfOneof(*message, *field);
    if (set != nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": ", set->name(), " is set, and an experiment has one of the two"));
    }
    return SetAt(message->GetReflection()->MutableMessage(message, field), path, rest, text);
  }
  if (!rest.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", name, " has no fields, but \"", std::string(rest), "\" follows it"));
  }
  return SetFieldFromText(message, *field, path, text);
}

}  // namespace

std::vector<std::string> FieldNames(const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return names;
}

std::vector<std::string> EnumNames(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() != 0) names.push_back(type.value(i)->name());
  }
  return names;
}

std::string Suggestion(const std::string& name, const std::vector<std::string>& known) {
  const std::string nearest = NearestName(name, known);
  return nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?");
}

absl::Status SetFieldFromText(Message* message, const FieldDescriptor& field, const std::string& path,
                              const std::string& text) {
  if (!field.is_repeated()) return WriteScalar(message, field, path, text);
  message->GetReflection()->ClearField(message, &field);
  if (text.empty()) return absl::OkStatus();
  const std::vector<std::string> elements = absl::StrSplit(text, ',');
  for (const std::string& element : elements) {
    RETURN_IF_ERROR(WriteScalar(message, field, path, std::string(absl::StripAsciiWhitespace(element))));
  }
  return absl::OkStatus();
}

absl::Status SetFieldByPath(Message* message, const std::string& path, const std::string& text) {
  return SetAt(message, path, path, text);
}

}  // namespace troupe
