#include "common/wire/unpacked_bytes.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/stubs/logging.h"
#include "google/protobuf/wire_format.h"

namespace troupe {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormat;
using google::protobuf::io::CodedInputStream;

constexpr int kDeepest = 16;
// What repeated fields keep of an element, with the room they grow by, and what an allocation costs besides.
constexpr size_t kElementBytes = 2 * sizeof(void*), kAllocationBytes = 16;
constexpr size_t kStringBytes = sizeof(std::string) + kElementBytes + kAllocationBytes;
// A field that is not known: its number and value in a list that doubles, or a text of its own.
constexpr size_t kUnknownBytes = 32 + kStringBytes;

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// Whether a value of this wire type is the field's; one that is not is kept as that of a field that is not known.
bool IsOf(const FieldDescriptor* field, uint32_t wire_type) {
  if (field == nullptr) return false;
  if (wire_type == kBytes && field->is_packable()) return true;
  return static_cast<uint32_t>(WireFormat::WireTypeForFieldType(field->type())) == wire_type;
}

// Bytes in memory for one on the wire: of a text, or numbers side by side in a list that doubles as it grows. Those of
// fixed size take as much as they came with, others eight bytes for one.
size_t GrowthOf(const FieldDescriptor* field) {
  if (field == nullptr || field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) return 1;
  switch (field->type()) {
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED32:
    case FieldDescriptor::TYPE_SFIXED64:
      return 2;
    default:
      return kElementBytes;
  }
}

class Measure {
 public:
  explicit Measure(absl::string_view bytes) : in_(reinterpret_cast<const uint8_t*>(bytes.data()), Size(bytes)) {}

  // One message of `type` up to the limit set. False: that is none.
  bool Message(const Descriptor& type, int depth) {
    if (depth > kDeepest) return false;
    bytes_ += EmptyBytes(type) + kElementBytes + kAllocationBytes;
    while (const uint32_t tag = in_.ReadTag()) {
      const uint32_t number = tag >> 3;
      if (number == 0 || !Field(type.FindFieldByNumber(static_cast<int>(number)), tag & 7, depth)) return false;
    }
    return in_.ConsumedEntireMessage();
  }
  size_t bytes() const { return bytes_; }

 private:
  static int Size(absl::string_view bytes) { return static_cast<int>(bytes.size()); }
  static size_t EmptyBytes(const Descriptor& type) {
    return google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->SpaceUsedLong();
  }

  // `field` is null where it is not known.
  bool Field(const FieldDescriptor* field, uint32_t wire_type, int depth) {
    uint64_t number;
    if (!IsOf(field, wire_type)) field = nullptr;
    bytes_ += field == nullptr ? kUnknownBytes : kElementBytes;
    switch (wire_type) {
      case kVarint:
        return in_.ReadVarint64(&number);
      case kFixed64:
        return in_.Skip(8);
      case kFixed32:
        return in_.Skip(4);
      case kBytes:
        return Delimited(field, depth);
      default:
        return false;
    }
  }

  bool Delimited(const FieldDescriptor* field, int depth) {
    int size;
    if (!in_.ReadVarintSizeAsInt(&size) || size > in_.BytesUntilLimit()) return false;
    if (field != nullptr && field->message_type() != nullptr) {
      const CodedInputStream::Limit limit = in_.PushLimit(size);
      if (!Message(*field->message_type(), depth + 1)) return false;
      in_.PopLimit(limit);
      return true;
    }
    bytes_ += static_cast<size_t>(size) * GrowthOf(field) + kStringBytes;
    return in_.Skip(size);
  }

  CodedInputStream in_;
  size_t bytes_ = 0;
};

absl::Status NoSuch(const Descriptor& type) {
  return absl::InvalidArgumentError(absl::StrCat("message: came bytes that are no ", std::string(type.name())));
}

}  // namespace

absl::StatusOr<size_t> UnpackedBytes(const Descriptor& type, absl::string_view bytes) {
  if (bytes.size() > static_cast<size_t>(INT32_MAX)) return NoSuch(type);
  Measure measure(bytes);
  if (!measure.Message(type, 0)) return NoSuch(type);
  return measure.bytes();
}

absl::Status ParseBounded(absl::string_view bytes, google::protobuf::Message* message) {
  ASSIGN_OR_RETURN(const size_t unpacked, UnpackedBytes(*message->GetDescriptor(), bytes));
  if (unpacked > kMaxUnpackedBytes) {
    return absl::InvalidArgumentError(absl::StrCat("message: came ", bytes.size(), " bytes that would take ", unpacked,
                                                   " unpacked, expected at most ", kMaxUnpackedBytes));
  }
  // Of a text that is no UTF-8 protobuf would write a line of its own, as often as peers like.
  const google::protobuf::LogSilencer silence;
  return message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ? absl::OkStatus()
                                                                               : NoSuch(*message->GetDescriptor());
}

}  // namespace troupe
