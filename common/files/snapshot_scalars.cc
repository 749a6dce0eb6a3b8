#include "common/files/snapshot_scalars.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"

namespace troupe {

void AddScalars(absl::Span<const NamedScalar> scalars, std::map<std::string, std::string>* metadata,
                const std::string& prefix) {
  for (const NamedScalar& scalar : scalars) {
    (*metadata)[prefix + scalar.name] = absl::StrFormat("%.17g", scalar.value);
  }
}

absl::StatusOr<std::vector<NamedScalar>> ReadScalars(const std::map<std::string, std::string>& metadata,
                                                     const std::string& prefix) {
  std::vector<NamedScalar> scalars;
  for (auto entry = metadata.lower_bound(prefix); entry != metadata.end(); ++entry) {
    if (!entry->first.starts_with(prefix)) break;
    NamedScalar scalar{entry->first.substr(prefix.size())};
    if (!absl::SimpleAtod(entry->second, &scalar.value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("metadata ", entry->first, ": \"", entry->second, "\" is not a number"));
    }
    scalars.push_back(std::move(scalar));
  }
  RETURN_IF_ERROR(CheckScalars(scalars));
  return scalars;
}

}  // namespace troupe
