// Reading safetensors from memory.
#ifndef TROUPE_COMMON_FILES_SAFETENSORS_BYTES_H_
#define TROUPE_COMMON_FILES_SAFETENSORS_BYTES_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "common/files/safetensors.h"

namespace troupe {

// `content` may be anything. Memory used is a small multiple of its size. Errors: DATA_LOSS as in safetensors.h. Files
// without the metadata entry "checksum" (other writers') are read unchecked.
absl::StatusOr<SafetensorsFile> ParseSafetensors(std::string_view content);

}  // namespace troupe

#endif  // TROUPE_COMMON_FILES_SAFETENSORS_BYTES_H_
