// Entries of a file's metadata that have to be there.
#ifndef TROUPE_COMMON_FILES_METADATA_H_
#define TROUPE_COMMON_FILES_METADATA_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace troupe {

// Errors: INVALID_ARGUMENT naming the entry that is missing.
absl::StatusOr<std::string> FindMetadata(const std::map<std::string, std::string>& metadata, const std::string& key);

// The same, and INVALID_ARGUMENT for what is no whole number.
absl::StatusOr<uint64_t> FindMetadataNumber(const std::map<std::string, std::string>& metadata, const std::string& key);

}  // namespace troupe

#endif  // TROUPE_COMMON_FILES_METADATA_H_
