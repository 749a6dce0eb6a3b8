#include "common/base/host_tensor.h"

#include <utility>

namespace troupe {

size_t SizeOf(DataType data_type) {
  switch (data_type) {
    case DataType::kUint8:
      return 1;
    case DataType::kFloat32:
    case DataType::kInt32:
      return 4;
    case DataType::kInt64:
    case DataType::kFloat64:
      return 8;
  }
  return 0;
}

HostTensor HostTensor::Float32(std::string name, std::vector<int64_t> shape, const float* values) {
  HostTensor tensor{std::move(name), DataType::kFloat32, std::move(shape), {}};
  const char* const bytes = reinterpret_cast<const char*>(values);  // null where there are none
  tensor.bytes.assign(bytes, bytes + tensor.num_elements() * sizeof(float));
  return tensor;
}

}  // namespace troupe
