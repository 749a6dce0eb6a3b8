#include "common/security/credential_files.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

std::string Named(const FlagFile& file) { return absl::StrCat(file.flag, "=", file.path, ": "); }

absl::Status Bad(const FlagFile& file, const std::string& what) {
  return absl::InvalidArgumentError(Named(file) + what);
}

Bio Over(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
}

int NoPassphrase(char*, int, int, void*) { return -1; }

absl::StatusOr<Certificate> ReadFirstCertificate(const FlagFile& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadCredentialFile(file));
  const Bio bio = Over(text);
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, &NoPassphrase, nullptr), &X509_free);
  if (certificate == nullptr) return Bad(file, "expected a certificate in PEM (-----BEGIN CERTIFICATE-----)");
  return certificate;
}

}  // namespace

absl::StatusOr<std::string> ReadCredentialFile(const FlagFile& file) {
  struct stat facts = {};
  if (stat(file.path.c_str(), &facts) != 0 || access(file.path.c_str(), R_OK) != 0) {
    const int error = errno;
    const std::string what = absl::StrCat(Named(file), "cannot be read: ", std::strerror(error));
    return error == EACCES ? absl::PermissionDeniedError(what) : absl::NotFoundError(what);
  }
  if (!S_ISREG(facts.st_mode)) return Bad(file, "expected a file");
  if (facts.st_size == 0) return Bad(file, "is empty");
  if (static_cast<size_t>(facts.st_size) > kMaxCredentialBytes) {
    return Bad(file, absl::StrCat("holds ", facts.st_size, " bytes, expected at most ", kMaxCredentialBytes));
  }
  std::ifstream stream(file.path);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) return absl::NotFoundError(Named(file) + "cannot be read");
  return text.str();
}

absl::StatusOr<std::string> ReadTokenFile(const FlagFile& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadCredentialFile(file));
  const std::string token(absl::StripAsciiWhitespace(text));
  if (token.size() < kMinTokenBytes || token.size() > kMaxTokenBytes) {
    return Bad(file, absl::StrCat("holds a token of ", token.size(), " characters, expected ", kMinTokenBytes, " to ",
                                  kMaxTokenBytes));
  }
  if (!std::all_of(token.begin(), token.end(), [](char c) { return absl::ascii_isgraph(c); })) {
    return Bad(file, "expected one word of visible ASCII characters");
  }
  return token;
}

absl::Status CheckAuthorityFile(const FlagFile& authority) { return ReadFirstCertificate(authority).status(); }

absl::Status CheckIdentityFiles(const FlagFile& certificate, const FlagFile& key) {
  ASSIGN_OR_RETURN(const Certificate own, ReadFirstCertificate(certificate));
  if (X509_cmp_current_time(X509_get0_notAfter(own.get())) < 0) return Bad(certificate, "the certificate has ended");
  if (X509_cmp_current_time(X509_get0_notBefore(own.get())) > 0) {
    return Bad(certificate, "the certificate is not valid yet");
  }
  ASSIGN_OR_RETURN(const std::string text, ReadCredentialFile(key));
  const Bio bio = Over(text);
  const Key secret(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, nullptr), &EVP_PKEY_free);
  if (secret == nullptr) return Bad(key, "expected a private key in PEM without a passphrase");
  if (X509_check_private_key(own.get(), secret.get()) != 1) {
    return Bad(key, absl::StrCat("is not the key of ", certificate.flag, "=", certificate.path));
  }
  return absl::OkStatus();
}

absl::Status WriteSecretFile(const std::string& path, const std::string& text) {
  unlink(path.c_str());
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return absl::PermissionDeniedError(absl::StrCat(path, ": cannot be written: ", std::strerror(errno)));
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (close(file) != 0 || !written) return absl::UnavailableError(absl::StrCat(path, ": cannot be written"));
  return absl::OkStatus();
}

std::string RandomToken() {
  unsigned char bytes[32];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1) std::abort();
  return absl::BytesToHexString({reinterpret_cast<const char*>(bytes), sizeof(bytes)});
}

}  // namespace troupe
