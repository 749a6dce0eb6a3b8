// A named dense tensor in host memory: what checkpoints, exported actors and the weights on the wire are made of.
#ifndef TROUPE_COMMON_BASE_HOST_TENSOR_H_
#define TROUPE_COMMON_BASE_HOST_TENSOR_H_

#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

namespace troupe {

enum class DataType { kFloat32, kInt32, kUint8, kInt64, kFloat64 };

// Bytes of one element.
size_t SizeOf(DataType data_type);

// Row-major, little-endian, exactly product(shape) elements.
struct HostTensor {
  std::string name;
  DataType data_type = DataType::kFloat32;
  std::vector<int64_t> shape;
  std::vector<char> bytes;

  static HostTensor Float32(std::string name, std::vector<int64_t> shape, const float* values);

  int64_t num_elements() const {
    return std::accumulate(shape.begin(), shape.end(), int64_t{1}, [](int64_t a, int64_t b) { return a * b; });
  }
  const float* floats() const { return reinterpret_cast<const float*>(bytes.data()); }
  float* floats() { return reinterpret_cast<float*>(bytes.data()); }
  bool operator==(const HostTensor&) const = default;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_BASE_HOST_TENSOR_H_
