// The safetensors file format: 8-byte little-endian header length, JSON header, tensor bytes. Opens in Python's
// `safetensors`.
#ifndef TROUPE_COMMON_FILES_SAFETENSORS_H_
#define TROUPE_COMMON_FILES_SAFETENSORS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/host_tensor.h"

namespace troupe {

// Metadata entry: CRC-32C, hex, of all else the header holds. A file that was read and has it is as it was written; one
// without it is of an earlier version, or of another writer.
inline constexpr char kHeaderChecksum[] = "header_checksum";

struct SafetensorsFile {
  std::map<std::string, std::string> metadata;
  std::vector<HostTensor> tensors;  // in file order
};

// Written to a temporary file beside `path`, synced, renamed over it, the folder synced: after a crash at any moment
// `path` is either the old file or the new one. Adds the metadata entries "checksum" (CRC-32C of the tensor bytes, hex)
// and kHeaderChecksum. Errors: RESOURCE_EXHAUSTED: disk full. PERMISSION_DENIED, NOT_FOUND, INTERNAL with path and
// errno's text. The temporary file is removed then.
absl::Status WriteSafetensors(const std::string& path, const SafetensorsFile& file);

// Errors: NOT_FOUND. DATA_LOSS naming what is wrong with the file (cut short, header not JSON, offsets outside,
// checksums). UNIMPLEMENTED: a sound header has a type of numbers that this version does not know.
absl::StatusOr<SafetensorsFile> ReadSafetensors(const std::string& path);

}  // namespace troupe

#endif  // TROUPE_COMMON_FILES_SAFETENSORS_H_
