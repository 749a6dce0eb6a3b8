// The safetensors file format: 8-byte little-endian header length, JSON header, tensor bytes. Opens in Python's `safetensors`.
#ifndef TROUPE_COMMON_FILES_SAFETENSORS_H_
#define TROUPE_COMMON_FILES_SAFETENSORS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/host_tensor.h"

namespace troupe {

struct SafetensorsFile {
  std::map<std::string, std::string> metadata;
  std::vector<HostTensor> tensors;  // in file order
};

// Written to a temporary file beside `path`, synced, renamed over it, the folder synced: after a crash at any moment `path` is
// either the old file or the new one. Adds the metadata entry "checksum" (CRC-32C of the tensor bytes, hex).
// Errors: RESOURCE_EXHAUSTED: disk full. PERMISSION_DENIED, NOT_FOUND, INTERNAL with path and errno's text. The temporary file is
// removed then.
absl::Status WriteSafetensors(const std::string& path, const SafetensorsFile& file);

// Errors: NOT_FOUND. DATA_LOSS naming what is wrong with the file (cut short, header not JSON, offsets outside, checksum).
absl::StatusOr<SafetensorsFile> ReadSafetensors(const std::string& path);

}  // namespace troupe

#endif  // TROUPE_COMMON_FILES_SAFETENSORS_H_
