#include "common/wire/field_tensors.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "google/protobuf/descriptor.h"

namespace troupe {
namespace {

size_t BytesIn(const TensorPieces& pieces) {
  size_t bytes = 0;
  for (const absl::string_view piece : pieces) bytes += piece.size();
  return bytes;
}

}  // namespace

size_t TensorLayout::num_elements() const {
  size_t count = 1;
  for (const uint32_t size : shape) count *= size;
  return count;
}

size_t TensorLayout::num_bytes() const {
  return num_elements() * (type == wire::UINT8 ? 1 : type == wire::FLOAT16 ? 2 : 4);
}

const wire::Tensor& TensorOf(const google::protobuf::Message& message, int number) {
  return static_cast<const wire::Tensor&>(
      message.GetReflection()->GetMessage(message, message.GetDescriptor()->FindFieldByNumber(number)));
}

wire::Tensor* MutableTensorOf(google::protobuf::Message* message, int number) {
  return static_cast<wire::Tensor*>(
      message->GetReflection()->MutableMessage(message, message->GetDescriptor()->FindFieldByNumber(number)));
}

void ClearTensor(google::protobuf::Message* message, int number) {
  message->GetReflection()->ClearField(message, message->GetDescriptor()->FindFieldByNumber(number));
}

std::string* AllocateTensor(const TensorLayout& layout, wire::Tensor* tensor) {
  tensor->set_data_type(layout.type);
  tensor->mutable_shape()->Assign(layout.shape.begin(), layout.shape.end());
  tensor->mutable_data()->resize(layout.num_bytes());
  return tensor->mutable_data();
}

absl::Status CheckTensor(const std::string& field, const TensorLayout& layout, const wire::Tensor& tensor,
                         size_t num_bytes) {
  if (tensor.data_type() != layout.type) {
    return absl::InvalidArgumentError(absl::StrCat(field, ".data_type: came ", static_cast<int>(tensor.data_type()),
                                                   ", expected ", wire::DataType_Name(layout.type), " (",
                                                   static_cast<int>(layout.type), ")"));
  }
  if (!std::equal(layout.shape.begin(), layout.shape.end(), tensor.shape().begin(), tensor.shape().end())) {
    constexpr int kShown = 8;
    const int shown = std::min(tensor.shape_size(), kShown);
    return absl::InvalidArgumentError(absl::StrCat(
        field, ".shape: came [", absl::StrJoin(tensor.shape().begin(), tensor.shape().begin() + shown, ", "),
        tensor.shape_size() > kShown ? ", …" : "", "], expected [", absl::StrJoin(layout.shape, ", "), "]"));
  }
  if (num_bytes != layout.num_bytes()) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ".data: came ", num_bytes, " bytes, expected ", layout.num_bytes()));
  }
  return absl::OkStatus();
}

absl::Status CheckNoTensor(const std::string& field, absl::string_view why, const wire::Tensor& tensor,
                           size_t num_bytes) {
  if (tensor.shape_size() == 0 && num_bytes == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": came ", num_bytes, " bytes, expected none: ", why));
}

absl::Status ViewTensor(const std::string& name, const TensorLayout& layout, const wire::Tensor& tensor,
                        const TensorPieces& pieces, ScatteredFloats* view) {
  RETURN_IF_ERROR(CheckTensor(name, layout, tensor, BytesIn(pieces)));
  *view = ScatteredFloats(pieces, layout.type == wire::FLOAT16 ? FloatFormat::kHalf : FloatFormat::kFloat32);
  return absl::OkStatus();
}

size_t NumBytes(const wire::Tensor& tensor, const TensorPieces& pieces) {
  return tensor.data().size() + BytesIn(pieces);
}

}  // namespace troupe
