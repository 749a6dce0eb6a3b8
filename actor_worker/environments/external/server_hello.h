// What an environment server says first: a ServerHello of proto/environment_service.proto as JSON.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SERVER_HELLO_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SERVER_HELLO_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/specs/environment_spec.h"

namespace troupe {

inline constexpr uint32_t kEnvironmentProtocolVersion = 1;

// Errors: INVALID_ARGUMENT naming the field: no JSON of a ServerHello, another protocol, a spec that cannot be.
absl::StatusOr<EnvironmentSpec> DecodeServerHello(absl::string_view json);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SERVER_HELLO_H_
