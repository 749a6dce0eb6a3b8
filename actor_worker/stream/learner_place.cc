#include "actor_worker/stream/learner_place.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/security/addresses.h"

namespace troupe {

LearnerPlace::LearnerPlace(std::string given, std::shared_ptr<const ClientCredentials> credentials)
    : given_(std::move(given)), credentials_(std::move(credentials)), address_(given_) {}

std::optional<uint32_t> LearnerPlace::redirects() const {
  if (!follows_) return std::nullopt;
  return redirects_;
}

absl::Status LearnerPlace::Follow(const std::string& address) {
  absl::Status status = credentials_->CheckRedirect(address_, address);
  if (status.ok() && !IsHostAndPort(address)) status = absl::InvalidArgumentError("serve_at: expected HOST:PORT");
  if (status.ok() && (!follows_ || redirects_ >= kMostRedirects)) {
    status = absl::PermissionDeniedError(absl::StrCat("serve_at: sent on more than ", kMostRedirects, " times"));
  }
  if (!status.ok()) {
    Leave(/*failed=*/false);
    follows_ = false;
    return status;
  }
  address_ = address;
  ++redirects_;
  Heard();
  return absl::OkStatus();
}

bool LearnerPlace::Silent(SteadyTime now) {
  if (is_given()) return false;
  if (silent_since_ == SteadyTime::InfiniteFuture()) silent_since_ = now;
  return now - silent_since_ >= kPatience && Leave(/*failed=*/true);
}

bool LearnerPlace::Leave(bool failed) {
  if (is_given()) return false;
  if (failed && ++failures_ >= kMostFailures) follows_ = false;
  address_ = given_;
  redirects_ = 0;
  Heard();
  return true;
}

}  // namespace troupe
