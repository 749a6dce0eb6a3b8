// How much memory a message of protobuf will take, worked out from its bytes before it is parsed: an empty message
// within another is two bytes on the wire and some hundred in memory.
#ifndef TROUPE_COMMON_WIRE_UNPACKED_BYTES_H_
#define TROUPE_COMMON_WIRE_UNPACKED_BYTES_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace troupe {

// Of a peer's message that is no chunk: on the wire, and in memory.
inline constexpr size_t kMaxControlBytes = size_t{1} << 20;
inline constexpr size_t kMaxUnpackedBytes = size_t{16} << 20;

// No less than a message of `type` parsed out of `bytes` takes, with all that is in it and fields that are not known;
// nothing is allocated. INVALID_ARGUMENT: no such message, or one nested deeper than any of ours.
absl::StatusOr<size_t> UnpackedBytes(const google::protobuf::Descriptor& type, absl::string_view bytes);

// Parses `bytes` where that takes no more than kMaxUnpackedBytes. INVALID_ARGUMENT that names the message: more, or
// none such.
absl::Status ParseBounded(absl::string_view bytes, google::protobuf::Message* message);

}  // namespace troupe

#endif  // TROUPE_COMMON_WIRE_UNPACKED_BYTES_H_
