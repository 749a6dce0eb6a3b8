// A tensor file of any bytes, and any text in its place of a policy's description. What is accepted must hold what it
// says.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/files/safetensors_bytes.h"
#include "common/specs/policy_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto check = [](std::string_view content) {
    const auto file = troupe::ParseSafetensors(content);
    if (!file.ok()) {
      if (file.status().code() != absl::StatusCode::kDataLoss) abort();
      return;
    }
    size_t total = 0;
    for (const troupe::HostTensor& tensor : file->tensors) {
      if (tensor.num_elements() * troupe::SizeOf(tensor.data_type) != tensor.bytes.size()) abort();
      total += tensor.bytes.size();
    }
    if (total > content.size()) abort();
  };
  check(bytes);
  // With a header length that fits: the first byte says how many bytes of data follow the header.
  if (size > 0) {
    const size_t data_bytes = std::min<size_t>(data[0], size - 1);
    const uint64_t header_bytes = size - 1 - data_bytes;
    check(std::string(reinterpret_cast<const char*>(&header_bytes), 8) + std::string(bytes.substr(1)));
  }
  const auto spec = troupe::ParsePolicySpec(std::string(bytes));
  if (spec.ok()) {
    const auto again = troupe::ParsePolicySpec(troupe::FormatPolicySpec(*spec));
    if (!again.ok() || !(*again == *spec)) abort();
  }
  return 0;
}
