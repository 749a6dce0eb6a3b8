// docs/settings.md: what proto/experiment.proto says of every setting, by its comments and options, as tables.
#ifndef TROUPE_TESTS_COMMON_SETTINGS_DOCUMENT_H_
#define TROUPE_TESTS_COMMON_SETTINGS_DOCUMENT_H_

#include <string>

#include "google/protobuf/descriptor.h"

namespace troupe {

// The comments of the .proto files, which descriptors in a program are without.
class ProtoComments {
 public:
  // `path` is of what protoc has written with --include_source_info and --include_imports.
  explicit ProtoComments(const std::string& path);

  // What stands before a message, field or enum value, on one line; "" where nothing does.
  std::string Of(const google::protobuf::Descriptor& type) const;
  std::string Of(const google::protobuf::FieldDescriptor& field) const;
  std::string Of(const google::protobuf::EnumValueDescriptor& value) const;

 private:
  google::protobuf::DescriptorPool pool_;
};

std::string SettingsDocument(const ProtoComments& comments);

}  // namespace troupe

#endif  // TROUPE_TESTS_COMMON_SETTINGS_DOCUMENT_H_
