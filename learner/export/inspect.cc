#include "learner/export/inspect.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/base/status_macros.h"
#include "common/files/safetensors.h"

namespace troupe {
namespace {

const char* NameOf(DataType data_type) {
  switch (data_type) {
    case DataType::kFloat32:
      return "FLOAT32";
    case DataType::kInt32:
      return "INT32";
    case DataType::kUint8:
      return "UINT8";
    case DataType::kInt64:
      return "INT64";
    case DataType::kFloat64:
      return "FLOAT64";
  }
  return "?";
}

std::string DescribeTensor(const HostTensor& tensor) {
  std::string line =
      absl::StrFormat("  %-52s %-7s [%s]", tensor.name, NameOf(tensor.data_type), absl::StrJoin(tensor.shape, ", "));
  const int64_t count = tensor.num_elements();
  if (tensor.data_type != DataType::kFloat32 || count == 0) return line;
  double sum = 0, largest = 0;
  int64_t not_finite = 0;
  for (int64_t i = 0; i < count; ++i) {
    sum += tensor.floats()[i];
    largest = std::max(largest, std::abs(static_cast<double>(tensor.floats()[i])));
    not_finite += std::isfinite(tensor.floats()[i]) ? 0 : 1;
  }
  absl::StrAppendFormat(&line, "  mean %.4g, largest magnitude %.4g", sum / count, largest);
  if (not_finite > 0) absl::StrAppend(&line, ", ", not_finite, " not finite");
  return line;
}

}  // namespace

absl::StatusOr<std::string> DescribeFile(const std::string& path) {
  ASSIGN_OR_RETURN(const SafetensorsFile file, ReadSafetensors(path));
  std::string text = absl::StrCat(path, "\n");
  for (const auto& [name, value] : file.metadata) {
    const std::string trimmed(absl::StripAsciiWhitespace(value));
    if (trimmed.find('\n') == std::string::npos) {
      absl::StrAppend(&text, name, ": ", trimmed, "\n");
    } else {
      absl::StrAppend(&text, name, ":\n  ", absl::StrReplaceAll(trimmed, {{"\n", "\n  "}}), "\n");
    }
  }
  int64_t elements = 0;
  size_t bytes = 0;
  absl::StrAppend(&text, "tensors:\n");
  for (const HostTensor& tensor : file.tensors) {
    absl::StrAppend(&text, DescribeTensor(tensor), "\n");
    elements += tensor.num_elements();
    bytes += tensor.bytes.size();
  }
  absl::StrAppend(&text, file.tensors.size(), " tensors, ", elements, " numbers, ", bytes, " bytes\n");
  return text;
}

}  // namespace troupe
