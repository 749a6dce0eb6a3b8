#include "tests/fuzz/support/tensor_file.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>

#include "common/files/safetensors.h"
#include "tests/fuzz/support/byte_source.h"
#include "tests/fuzz/support/target.h"

namespace troupe::fuzz {

std::string TensorFileOf(std::string_view input) {
  ByteSource source(input);
  const size_t tensor_bytes = source.Short();
  const std::string_view rest = source.Rest();
  const uint64_t header_bytes = rest.size() - std::min(tensor_bytes, rest.size());
  return std::string(reinterpret_cast<const char*>(&header_bytes), sizeof(header_bytes)) + std::string(rest);
}

std::string InputOf(const std::string& file) {
  uint64_t header_bytes = 0;
  Must(file.size() >= sizeof(header_bytes), "a tensor file");
  std::memcpy(&header_bytes, file.data(), sizeof(header_bytes));
  nlohmann::ordered_json header = nlohmann::ordered_json::parse(file.substr(sizeof(header_bytes), header_bytes));
  header["__metadata__"].erase("checksum");
  header["__metadata__"].erase(kHeaderChecksum);
  const std::string tensors = file.substr(sizeof(header_bytes) + header_bytes);
  return std::string{static_cast<char>(tensors.size()), static_cast<char>(tensors.size() >> 8)} + header.dump() +
         tensors;
}

}  // namespace troupe::fuzz
