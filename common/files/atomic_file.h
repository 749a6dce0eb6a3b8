// Replacing a file so that a crash at any moment leaves the old one or the new one, never a part; and what else is done
// with whole files, with errors that name them.
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

// What `folder` holds, sorted. Errors: it cannot be listed to its end; one that is not there is none that is empty.
absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& folder);

// Errors: it cannot be found out (no permission, a broken disk).
absl::StatusOr<bool> FileExists(const std::string& path);

// Replaces `to`; the folder is synced.
absl::Status RenameFile(const std::string& from, const std::string& to);
// A file that is not there is removed already.
absl::Status RemoveFile(const std::string& path);
// Removes what WriteFileAtomically left in `folder` when a process was killed in it. Nobody may be writing there.
absl::Status RemoveHalfWritten(const std::string& folder);
// After this what was written to the file survives a crash.
absl::Status SyncFile(const std::string& path);

}  // namespace troupe

#endif  // TROUPE_COMMON_FILES_ATOMIC_FILE_H_
