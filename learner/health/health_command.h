// `learner health`: asks a running learner whether it is well, for health checks of containers. Needs no LibTorch.
#ifndef TROUPE_LEARNER_HEALTH_HEALTH_COMMAND_H_
#define TROUPE_LEARNER_HEALTH_HEALTH_COMMAND_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/security/client_credentials.h"

namespace troupe {

// "SERVING (training)", with the learner's phase as learner/service/health_service.h has it, or an error of one line
// naming the address and what came instead; takes at most five seconds.
absl::StatusOr<std::string> AskHealth(const std::string& address, const ClientSecurity& security);

}  // namespace troupe

#endif  // TROUPE_LEARNER_HEALTH_HEALTH_COMMAND_H_
