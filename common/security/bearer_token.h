// The token with which a worker shows that it may take part: metadata "authorization: Bearer TOKEN" on every call.
#ifndef TROUPE_COMMON_SECURITY_BEARER_TOKEN_H_
#define TROUPE_COMMON_SECURITY_BEARER_TOKEN_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/security/credential_files.h"
#include "common/threads/abandonable_thread.h"

namespace troupe {

inline constexpr char kAuthorizationKey[] = "authorization";
inline constexpr char kBearerPrefix[] = "Bearer ";

// Takes as long for every `given` of one length, whatever it holds.
bool EqualInConstantTime(absl::string_view expected, absl::string_view given);

// A token that follows its file: a changed file is read again within kReloadPeriod, by a thread of the token's own, so
// that a file that cannot be read, on a mount that hangs, holds nobody up; one that holds no token any more leaves the
// last good one in force. Thread-safe.
class BearerToken {
 public:
  static constexpr absl::Duration kReloadPeriod = absl::Seconds(2);

  // Errors of ReadTokenFile.
  static absl::StatusOr<std::shared_ptr<BearerToken>> Open(FlagFile file);

  ~BearerToken();

  std::string Get() const;

 private:
  struct State;
  explicit BearerToken(std::shared_ptr<State> state);

  const std::shared_ptr<State> state_;
  AbandonableThread reader_;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_SECURITY_BEARER_TOKEN_H_
