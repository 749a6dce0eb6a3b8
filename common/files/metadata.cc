#include "common/files/metadata.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace troupe {

absl::StatusOr<std::string> FindMetadata(const std::map<std::string, std::string>& metadata, const std::string& key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return absl::InvalidArgumentError(absl::StrCat("metadata \"", key, "\" is missing"));
  return found->second;
}

absl::StatusOr<uint64_t> FindMetadataNumber(const std::map<std::string, std::string>& metadata,
                                            const std::string& key) {
  ASSIGN_OR_RETURN(const std::string text, FindMetadata(metadata, key));
  uint64_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) {
    return absl::InvalidArgumentError(absl::StrCat("metadata \"", key, "\": \"", text, "\" is not a whole number"));
  }
  return value;
}

}  // namespace troupe
