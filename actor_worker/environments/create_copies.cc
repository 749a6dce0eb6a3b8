#include "actor_worker/environments/create_copies.h"

#include "common/base/status_macros.h"

namespace troupe {

absl::StatusOr<std::vector<std::unique_ptr<Environment>>> CreateCopies(const EnvironmentEntry& entry,
                                                                       const SettingsMap& settings, int copies) {
  if (entry.create_copies != nullptr) return entry.create_copies(settings, copies);
  std::vector<std::unique_ptr<Environment>> made(copies);
  for (std::unique_ptr<Environment>& environment : made) {
    ASSIGN_OR_RETURN(environment, entry.create(settings));
  }
  return made;
}

}  // namespace troupe
