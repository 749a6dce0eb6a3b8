#include "common/files/sha256.h"

#include <array>
#include <new>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace troupe {
namespace {

// OpenSSL's digest fails for want of memory alone.
void Require(bool done) {
  if (!done) throw std::bad_alloc();
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
  Require(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::Add(std::string_view bytes) { Require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1); }

std::string Sha256::Finish() {
  std::array<unsigned char, 32> digest;
  Require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string WeightsSha256(const PolicySnapshot& weights) {
  Sha256 hash;
  for (const HostTensor& tensor : weights.tensors) {
    hash.Add(absl::StrCat(tensor.name, " [", absl::StrJoin(tensor.shape, ","), "]\n"));
    hash.Add(std::string_view(tensor.bytes.data(), tensor.bytes.size()));
  }
  return hash.Finish();
}

}  // namespace troupe
