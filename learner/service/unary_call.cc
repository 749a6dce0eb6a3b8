#include "learner/service/unary_call.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/wire/unpacked_bytes.h"
#include "grpcpp/support/slice.h"

namespace troupe {

absl::Status ReadRequest(const grpc::ByteBuffer& bytes, size_t max_bytes, LearnerMetrics* metrics,
                         google::protobuf::Message* request) {
  absl::Status status;
  grpc::Slice whole;
  if (bytes.Length() > max_bytes) {
    status = absl::InvalidArgumentError(
        absl::StrCat("request: came ", bytes.Length(), " bytes, expected at most ", max_bytes));
  } else if (!bytes.DumpToSingleSlice(&whole).ok()) {
    status = absl::InvalidArgumentError("request: came bytes that cannot be read");
  } else {
    status = ParseBounded({reinterpret_cast<const char*>(whole.begin()), whole.size()}, request);
  }
  if (!status.ok()) metrics->CountRejected("message_size");
  return status;
}

void WriteResponse(const google::protobuf::Message& response, grpc::ByteBuffer* bytes) {
  const std::string text = response.SerializeAsString();
  const grpc::Slice slice(text);
  *bytes = grpc::ByteBuffer(&slice, 1);
}

}  // namespace troupe
