// `learner health`: asks a running learner whether it serves, for health checks of containers.
#ifndef TROUPE_LEARNER_RUN_HEALTH_COMMAND_H_
#define TROUPE_LEARNER_RUN_HEALTH_COMMAND_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/security/client_credentials.h"

namespace troupe {

// "SERVING", or an error of one line naming the address and what came instead; takes at most five seconds.
absl::StatusOr<std::string> AskHealth(const std::string& address, const ClientSecurity& security);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_HEALTH_COMMAND_H_
