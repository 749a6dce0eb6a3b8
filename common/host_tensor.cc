#include "common/host_tensor.h"

#include <cstring>
#include <utility>

namespace troupe {

size_t SizeOf(DataType data_type) {
  switch (data_type) {
    case DataType::kUint8: return 1;
    case DataType::kFloat32:
    case DataType::kInt32: return 4;
    case DataType::kInt64:
    case DataType::kFloat64: return 8;
  }
  return 0;
}

HostTensor HostTensor::Float32(std::string name, std::vector<int64_t> shape, const float* values) {
  HostTensor tensor{std::move(name), DataType::kFloat32, std::move(shape), {}};
  tensor.bytes.resize(tensor.num_elements() * sizeof(float));
  std::memcpy(tensor.bytes.data(), values, tensor.bytes.size());
  return tensor;
}

}  // namespace troupe
