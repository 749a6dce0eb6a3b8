// Fields of a protobuf message addressed and written as text: "ppo.clip", "policy.hidden_sizes",
// "environment.settings.KEY", "group_policies.KEY.sharing".
#ifndef TROUPE_COMMON_CONFIG_FIELD_PATH_H_
#define TROUPE_COMMON_CONFIG_FIELD_PATH_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace troupe {

// Writes the field at `path` (messages and map entries on the way are made). Numbers are written as numbers (whole ones
// also as 1e6), booleans as true or false, enums by name, repeated scalars as "a,b,c" replacing what was there (""
// empties them). Errors: INVALID_ARGUMENT "PATH: what is wrong", with the nearest known name where a name is unknown.
absl::Status SetFieldByPath(google::protobuf::Message* message, const std::string& path, const std::string& text);

// The same for one field of `message`; `path` stands for it in messages.
absl::Status SetFieldFromText(google::protobuf::Message* message, const google::protobuf::FieldDescriptor& field,
                              const std::string& path, const std::string& text);

std::vector<std::string> FieldNames(const google::protobuf::Descriptor& type);

// Names of the enum's values, the zero value ("UNSPECIFIED") left out.
std::vector<std::string> EnumNames(const google::protobuf::EnumDescriptor& type);

// `; did you mean "NAME"?` or "".
std::string Suggestion(const std::string& name, const std::vector<std::string>& known);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_FIELD_PATH_H_
