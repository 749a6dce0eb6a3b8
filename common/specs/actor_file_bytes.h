// An actor file in memory.
#ifndef TROUPE_COMMON_SPECS_ACTOR_FILE_BYTES_H_
#define TROUPE_COMMON_SPECS_ACTOR_FILE_BYTES_H_

#include "absl/status/statusor.h"
#include "common/files/safetensors.h"
#include "common/specs/actor_file.h"

namespace troupe {

// What ReadActorFile makes of a file that was read. Errors: as there, but for those of files.
absl::StatusOr<ActorFile> DecodeActorFile(SafetensorsFile file);

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_ACTOR_FILE_BYTES_H_
