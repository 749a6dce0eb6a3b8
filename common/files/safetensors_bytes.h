// safetensors in memory.
#ifndef TROUPE_COMMON_FILES_SAFETENSORS_BYTES_H_
#define TROUPE_COMMON_FILES_SAFETENSORS_BYTES_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/files/safetensors.h"

namespace troupe {

// `content` may be anything. Memory used is a small multiple of its size. Errors: DATA_LOSS as in safetensors.h. Files
// without the metadata entries "checksum" and kHeaderChecksum (other writers') are read unchecked.
absl::StatusOr<SafetensorsFile> ParseSafetensors(std::string_view content);

// What WriteSafetensors puts into a file. INTERNAL: two tensors of one name, or a shape that does not make its bytes.
absl::StatusOr<std::string> FormatSafetensors(const SafetensorsFile& file);

}  // namespace troupe

#endif  // TROUPE_COMMON_FILES_SAFETENSORS_BYTES_H_
