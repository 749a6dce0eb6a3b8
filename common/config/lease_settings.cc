#include "common/config/lease_settings.h"

#include "absl/strings/str_cat.h"

namespace troupe {

std::optional<FieldError> FindLeaseError(const CollectionSettings& collection) {
  if (collection.mode() != ASYNCHRONOUS) return std::nullopt;
  // The newest weights, whichever they are, collect a chunk there: two workers never collect the same one.
  const auto refuse = [](const char* name, uint32_t value) {
    return FieldError{absl::StrCat("collection.", name),
                      absl::StrCat(value, " with collection.mode ASYNCHRONOUS, expected 0: nobody waits for a shard")};
  };
  if (collection.speculative_leases() > 0) return refuse("speculative_leases", collection.speculative_leases());
  if (collection.lease_updates() > 0) return refuse("lease_updates", collection.lease_updates());
  return std::nullopt;
}

}  // namespace troupe
