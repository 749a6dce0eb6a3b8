#include "common/security/bearer_token.h"

#include <utility>

#include "common/base/status_macros.h"

namespace troupe {

bool EqualInConstantTime(absl::string_view expected, absl::string_view given) {
  volatile unsigned char difference = expected.size() == given.size() && !expected.empty() ? 0 : 1;
  for (size_t i = 0; i < given.size(); ++i) {
    const char wanted = expected.empty() ? '\0' : expected[i % expected.size()];
    difference = difference | static_cast<unsigned char>(wanted ^ given[i]);
  }
  return difference == 0;
}

absl::StatusOr<std::shared_ptr<BearerToken>> BearerToken::Open(FlagFile file) {
  ASSIGN_OR_RETURN(std::string token, ReadTokenFile(file));
  return std::shared_ptr<BearerToken>(new BearerToken(std::move(file), std::move(token)));
}

BearerToken::BearerToken(FlagFile file, std::string token)
    : file_(std::move(file)), token_(std::move(token)), read_(SteadyTime::Now()) {}

std::string BearerToken::Get() {
  absl::MutexLock lock(&mutex_);
  if (SteadyTime::Now() - read_ >= kReloadPeriod) {
    read_ = SteadyTime::Now();
    if (absl::StatusOr<std::string> token = ReadTokenFile(file_); token.ok()) token_ = *std::move(token);
  }
  return token_;
}

}  // namespace troupe
