// The version of proto/training_service.proto that both sides of a connection must speak. Raised with every change that
// an older peer would misread.
#ifndef TROUPE_COMMON_WIRE_PROTOCOL_VERSION_H_
#define TROUPE_COMMON_WIRE_PROTOCOL_VERSION_H_

#include <cstdint>

namespace troupe {

inline constexpr uint32_t kProtocolVersion = 3;

}  // namespace troupe

#endif  // TROUPE_COMMON_WIRE_PROTOCOL_VERSION_H_
