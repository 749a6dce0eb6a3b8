#include "common/config/proto_comments.h"

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.pb.h"

// What protoc has written with --include_source_info and --include_imports (cmake/proto.cmake).
__asm__(
    ".pushsection .rodata\n"
    ".global troupe_settings_set\n"
    "troupe_settings_set:\n"
    ".incbin \"" TROUPE_SETTINGS_SET
    "\"\n"
    ".global troupe_settings_set_end\n"
    "troupe_settings_set_end:\n"
    ".byte 0\n"
    ".popsection\n");
extern "C" const char troupe_settings_set[], troupe_settings_set_end[];

namespace troupe {
namespace {

template <typename Descriptor>
std::string CommentOf(const Descriptor* descriptor) {
  google::protobuf::SourceLocation location;
  if (descriptor == nullptr || !descriptor->GetSourceLocation(&location)) return "";
  std::string text = location.leading_comments;
  absl::StripAsciiWhitespace(&text);
  return absl::StrReplaceAll(text, {{"\n ", " "}, {"\n", " "}});
}

}  // namespace

ProtoComments::ProtoComments() {
  google::protobuf::FileDescriptorSet set;
  const auto bytes = static_cast<int>(troupe_settings_set_end - troupe_settings_set);
  if (!set.ParseFromArray(troupe_settings_set, bytes)) std::abort();
  for (const auto& proto : set.file()) {
    if (pool_.BuildFile(proto) == nullptr) std::abort();
  }
}

const ProtoComments& ProtoComments::OfThisBuild() {
  static const auto* const comments = new ProtoComments;
  return *comments;
}

std::string ProtoComments::Of(const google::protobuf::Descriptor& type) const {
  return CommentOf(pool_.FindMessageTypeByName(type.full_name()));
}

std::string ProtoComments::Of(const google::protobuf::FieldDescriptor& field) const {
  return CommentOf(pool_.FindFieldByName(field.full_name()));
}

std::string ProtoComments::Of(const google::protobuf::EnumValueDescriptor& value) const {
  return CommentOf(pool_.FindEnumValueByName(value.full_name()));
}

}  // namespace troupe
