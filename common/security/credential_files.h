// Keys, certificates and tokens come as files that flags name. Every error names the flag, the file and what is wrong.
#ifndef TROUPE_COMMON_SECURITY_CREDENTIAL_FILES_H_
#define TROUPE_COMMON_SECURITY_CREDENTIAL_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe {

// A file and the flag that named it: {"--tls_key", "/run/secrets/learner.key"}.
struct FlagFile {
  std::string flag;
  std::string path;
};

inline constexpr size_t kMaxCredentialBytes = size_t{1} << 20;
inline constexpr size_t kMinTokenBytes = 16, kMaxTokenBytes = 4096;

// NOT_FOUND, PERMISSION_DENIED or INVALID_ARGUMENT (empty, larger than kMaxCredentialBytes).
absl::StatusOr<std::string> ReadCredentialFile(const FlagFile& file);

// The token in a file: one word of kMinTokenBytes to kMaxTokenBytes visible ASCII characters; white space around it is
// not part of it. INVALID_ARGUMENT otherwise.
absl::StatusOr<std::string> ReadTokenFile(const FlagFile& file);

// The certificates of an authority, PEM, at least one.
absl::Status CheckAuthorityFile(const FlagFile& authority);

// A certificate (PEM, its chain after it) that is valid today, and its private key (PEM, without a passphrase).
absl::Status CheckIdentityFiles(const FlagFile& certificate, const FlagFile& key);

// Writes a file that its owner alone can read, in place of what was there.
absl::Status WriteSecretFile(const std::string& path, const std::string& text);

// A token nobody can guess: 256 random bits as hexadecimal digits.
std::string RandomToken();

}  // namespace troupe

#endif  // TROUPE_COMMON_SECURITY_CREDENTIAL_FILES_H_
