// A table's tensors (trajectory_fields.h) in a message that has a wire::Tensor of each row's number: allocated for
// writing, and checked and viewed after reading.
#ifndef TROUPE_COMMON_WIRE_FIELD_TENSORS_H_
#define TROUPE_COMMON_WIRE_FIELD_TENSORS_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/wire/scattered_floats.h"
#include "common/wire/trajectory_fields.h"
#include "google/protobuf/message.h"
#include "proto/tensor.pb.h"

namespace troupe {

// Where large tensors' bytes are that were left where the network put them: the pieces one after the other.
using TensorPieces = std::vector<absl::string_view>;
// Beside the small ones, whose bytes are in the message.
struct InMessage {};

struct TensorLayout {
  wire::DataType type;
  std::vector<uint32_t> shape;

  size_t num_elements() const;
  size_t num_bytes() const;
};

// Of a row whose member holds so many floats, int32_t or uint8_t.
template <typename Value>
TensorLayout LayoutOf(const TrajectoryField& field, const FieldSizes& sizes) {
  using T = std::remove_const_t<Value>;
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, int32_t> || std::is_same_v<T, uint8_t>);
  const wire::DataType type = std::is_same_v<T, int32_t>              ? wire::INT32
                              : std::is_same_v<T, uint8_t>            ? wire::UINT8
                              : field.half && sizes.half_observations ? wire::FLOAT16
                                                                      : wire::FLOAT32;
  return {type, ShapeOf(field, sizes)};
}

const wire::Tensor& TensorOf(const google::protobuf::Message& message, int number);
wire::Tensor* MutableTensorOf(google::protobuf::Message* message, int number);
void ClearTensor(google::protobuf::Message* message, int number);

// Gives the tensor its type, shape and bytes, whose contents are unspecified.
std::string* AllocateTensor(const TensorLayout& layout, wire::Tensor* tensor);

// INVALID_ARGUMENT naming `field` when the tensor's type, shape or number of bytes is another.
absl::Status CheckTensor(const std::string& field, const TensorLayout& layout, const wire::Tensor& tensor,
                         size_t num_bytes);
// INVALID_ARGUMENT naming `field` when there is a tensor where none exists.
absl::Status CheckNoTensor(const std::string& field, absl::string_view why, const wire::Tensor& tensor,
                           size_t num_bytes);

// Rows of the same number are one tensor on the way, of which at most one exists.
template <typename Fields>
uint64_t ExistingNumbers(const FieldSizes& sizes) {
  uint64_t numbers = 0;
  Fields::ForEach([&](const TrajectoryField& field) {
    if (Exists(field, sizes)) numbers |= uint64_t{1} << field.number;
  });
  return numbers;
}

// Allocates `message`'s tensors of those rows for which `which` holds and points `view` at them; contents are
// unspecified, memory of an earlier use is kept. Those that travel as halves are empty in the view.
template <typename View, typename Which>
void AllocateTensors(const FieldSizes& sizes, google::protobuf::Message* message, View* view, const Which& which) {
  const uint64_t existing = ExistingNumbers<typename View::Fields>(sizes);
  ForEachField(
      [&](const TrajectoryField& field, auto& span) {
        if (!which(field)) return;
        using T = typename std::decay_t<decltype(span)>::value_type;
        span = {};
        if (!Exists(field, sizes)) {
          if ((existing >> field.number & 1) == 0) ClearTensor(message, field.number);
          return;
        }
        const TensorLayout layout = LayoutOf<T>(field, sizes);
        std::string* const data = AllocateTensor(layout, MutableTensorOf(message, field.number));
        if (layout.type == wire::FLOAT16) return;
        span = absl::MakeSpan(reinterpret_cast<T*>(data->data()), layout.num_elements());
      },
      *view);
}

// One tensor of a message, checked: in the message's own bytes (halves are checked and left empty) …
template <typename T>
absl::Status ViewTensor(const std::string& name, const TensorLayout& layout, const wire::Tensor& tensor,
                        const InMessage&, absl::Span<const T>* view) {
  const absl::Status status = CheckTensor(name, layout, tensor, tensor.data().size());
  if (!status.ok() || layout.type == wire::FLOAT16) return status;
  *view = absl::MakeConstSpan(reinterpret_cast<const T*>(tensor.data().data()), layout.num_elements());
  return absl::OkStatus();
}
// … or in pieces beside it.
absl::Status ViewTensor(const std::string& name, const TensorLayout& layout, const wire::Tensor& tensor,
                        const TensorPieces& pieces, ScatteredFloats* view);

inline size_t NumBytes(const wire::Tensor& tensor, const InMessage&) { return tensor.data().size(); }
size_t NumBytes(const wire::Tensor& tensor, const TensorPieces& pieces);

// Checks type, shape and bytes of every tensor of `message` and points `view` at them. `where` says of each where its
// bytes are: InMessage or TensorPieces. Errors: INVALID_ARGUMENT naming `prefix` and the message's field.
template <typename View, typename Where>
absl::Status ViewTensors(const std::string& prefix, const FieldSizes& sizes, const google::protobuf::Message& message,
                         const Where& where, View* view) {
  const uint64_t existing = ExistingNumbers<typename View::Fields>(sizes);
  absl::Status status;
  ForEachField(
      [&](const TrajectoryField& field, auto& to, const auto& bytes) {
        if (!status.ok()) return;
        const wire::Tensor& tensor = TensorOf(message, field.number);
        const std::string name = absl::StrCat(prefix, field.wire);
        if (Exists(field, sizes)) {
          using T = typename std::decay_t<decltype(to)>::value_type;
          status = ViewTensor(name, LayoutOf<T>(field, sizes), tensor, bytes, &to);
        } else if ((existing >> field.number & 1) == 0) {
          status = CheckNoTensor(name, WhyNot(field, sizes), tensor, NumBytes(tensor, bytes));
        }
      },
      *view, where);
  return status;
}

// Bytes of all tensors on the way, with `bytes_around_each`.
template <typename View>
size_t BytesOfTensors(const FieldSizes& sizes, size_t bytes_around_each) {
  size_t bytes = 0;
  View none;
  ForEachField(
      [&](const TrajectoryField& field, const auto& member) {
        using T = typename std::decay_t<decltype(member)>::value_type;
        if (Exists(field, sizes)) bytes += LayoutOf<T>(field, sizes).num_bytes() + bytes_around_each;
      },
      none);
  return bytes;
}

}  // namespace troupe

#endif  // TROUPE_COMMON_WIRE_FIELD_TENSORS_H_
