// The token with which a worker shows that it may take part: metadata "authorization: Bearer TOKEN" on every call.
#ifndef TROUPE_COMMON_SECURITY_BEARER_TOKEN_H_
#define TROUPE_COMMON_SECURITY_BEARER_TOKEN_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "common/security/credential_files.h"

namespace troupe {

inline constexpr char kAuthorizationKey[] = "authorization";
inline constexpr char kBearerPrefix[] = "Bearer ";

// Takes as long for every `given` of one length, whatever it holds.
bool EqualInConstantTime(absl::string_view expected, absl::string_view given);

// A token that follows its file: a changed file is read again within kReloadPeriod; one that holds no token any more
// leaves the last good one in force. Thread-safe.
class BearerToken {
 public:
  static constexpr absl::Duration kReloadPeriod = absl::Seconds(2);

  // Errors of ReadTokenFile.
  static absl::StatusOr<std::shared_ptr<BearerToken>> Open(FlagFile file);

  std::string Get() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  BearerToken(FlagFile file, std::string token);

  const FlagFile file_;
  absl::Mutex mutex_;
  std::string token_ ABSL_GUARDED_BY(mutex_);
  SteadyTime read_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe

#endif  // TROUPE_COMMON_SECURITY_BEARER_TOKEN_H_
