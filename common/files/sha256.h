// SHA-256 (OpenSSL's), for comparing weights by eye and by test.
#ifndef TROUPE_COMMON_FILES_SHA256_H_
#define TROUPE_COMMON_FILES_SHA256_H_

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

#include "common/base/policy_snapshot.h"

namespace troupe {

// Not thread-safe.
class Sha256 {
 public:
  Sha256();

  void Add(std::string_view bytes);
  // 64 lower-case hexadecimal digits. Nothing may be added afterwards.
  std::string Finish();

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

// Over every tensor's name, shape and bytes, in order; the policy version is not part of it.
std::string WeightsSha256(const PolicySnapshot& weights);

}  // namespace troupe

#endif  // TROUPE_COMMON_FILES_SHA256_H_
