// The comments of proto/experiment.proto and what it imports, which descriptors in a program are without.
#ifndef TROUPE_COMMON_CONFIG_PROTO_COMMENTS_H_
#define TROUPE_COMMON_CONFIG_PROTO_COMMENTS_H_

#include <string>

#include "google/protobuf/descriptor.h"

namespace troupe {

// Thread-safe.
class ProtoComments {
 public:
  // Those this program was built with: they are part of it.
  static const ProtoComments& OfThisBuild();

  // What stands before a message, field or enum value, on one line; "" where nothing does.
  std::string Of(const google::protobuf::Descriptor& type) const;
  std::string Of(const google::protobuf::FieldDescriptor& field) const;
  std::string Of(const google::protobuf::EnumValueDescriptor& value) const;

 private:
  ProtoComments();

  google::protobuf::DescriptorPool pool_;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_PROTO_COMMENTS_H_
