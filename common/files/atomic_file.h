// Replacing a file so that a crash at any moment leaves the old one or the new one, never a part.
#ifndef TROUPE_COMMON_FILES_ATOMIC_FILE_H_
#define TROUPE_COMMON_FILES_ATOMIC_FILE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe {

// Temporary file beside `path`, write, fsync, rename, fsync of the folder. Errors as in safetensors.h.
absl::Status WriteFileAtomically(const std::string& path, const std::vector<std::string_view>& pieces);

// The whole file. NOT_FOUND, PERMISSION_DENIED, INTERNAL with path and errno's text.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path);

// Creates the folder and its parents.
absl::Status MakeFolder(const std::string& path);

}  // namespace troupe

#endif  // TROUPE_COMMON_FILES_ATOMIC_FILE_H_
