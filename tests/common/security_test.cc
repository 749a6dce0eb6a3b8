#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/clock/steady_time.h"
#include "common/security/addresses.h"
#include "common/security/bearer_token.h"
#include "common/security/credential_files.h"
#include "common/security/http_proxy.h"
#include "common/security/server_security.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

std::string Written(const TemporaryFolder& folder, const std::string& text) {
  std::ofstream(folder / "file") << text;
  return folder / "file";
}

TEST(Addresses, AHostAndItsPort) {
  for (const char* address : {"127.0.0.1:7070", "learner-0.learner:1", "[2001:db8::1]:65535", "a:1"}) {
    EXPECT_TRUE(IsHostAndPort(address)) << address;
  }
  for (const char* address : {"", ":", ":1", "a", "a:", "a:0", "a:65536", "a:-1", "a:+1", "a: 1", "a:1 ", "a b:1",
                              "unix:/run/x", "dns:///a:1", "2001:db8::1:1", "[]:1", "a,b:1"}) {
    EXPECT_FALSE(IsHostAndPort(address)) << address;
  }
}

TEST(Addresses, OnlyThoseOfThisMachineAreLoopback) {
  for (const char* address : {"127.0.0.1:7070", "127.3.2.1:0", "localhost:1", "[::1]:7070", "unix:/tmp/x"}) {
    EXPECT_TRUE(IsLoopbackAddress(address)) << address;
  }
  for (const char* address : {"0.0.0.0:7070", "[::]:7070", "192.0.2.1:1", "127.example.org:7070", "localhost.example:1",
                              "127.0.0.1.example:1", "learner:7070", ":7070", ""}) {
    EXPECT_FALSE(IsLoopbackAddress(address)) << address;
  }
}

TEST(Addresses, AreDialledWhereTheyAreListenedOn) {
  EXPECT_EQ(AddressToDial("127.0.0.1:0", 7070), "127.0.0.1:7070");
  EXPECT_EQ(AddressToDial("127.0.0.2:7070", 7070), "127.0.0.2:7070");
  EXPECT_EQ(AddressToDial("[::1]:0", 7), "[::1]:7");
  EXPECT_EQ(AddressToDial("localhost:0", 7), "localhost:7");
  EXPECT_EQ(AddressToDial("0.0.0.0:0", 7), "127.0.0.1:7");
  EXPECT_EQ(AddressToDial("[::]:0", 7), "[::1]:7");
  EXPECT_EQ(AddressToDial("unix:/tmp/x", 1), "unix:/tmp/x");
  EXPECT_EQ(AddressOf("0.0.0.0:0", 7), "0.0.0.0:7");
  for (const char* address : {"0.0.0.0:7070", "[::]:0", ":0"}) EXPECT_TRUE(IsWildcardAddress(address)) << address;
  for (const char* address : {"127.0.0.1:0", "[::1]:0", "192.0.2.1:0", "unix:x"}) {
    EXPECT_FALSE(IsWildcardAddress(address)) << address;
  }
}

class HttpProxyTest : public ::testing::Test {
 protected:
  std::string Proxy(const std::string& address) const {
    const HttpProxy proxy = HttpProxyFor(address, [this](const char* name) -> const char* {
      const auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    });
    return proxy.address.empty() ? "" : absl::StrCat(proxy.variable, " ", proxy.address);
  }
  std::map<std::string, std::string> environment_;
};

TEST_F(HttpProxyTest, IsTheFirstThatIsSet) {
  EXPECT_EQ(Proxy("learner:7070"), "");
  environment_["http_proxy"] = "http://user:secret@proxy:3128/";
  EXPECT_EQ(Proxy("learner:7070"), "http_proxy proxy:3128");
  environment_["https_proxy"] = "http://other:1";
  EXPECT_EQ(Proxy("learner:7070"), "https_proxy other:1");
  environment_["grpc_proxy"] = "";  // none for gRPC
  EXPECT_EQ(Proxy("learner:7070"), "");
  environment_["grpc_proxy"] = "socks5://x:1";  // gRPC knows no such proxies and takes none
  EXPECT_EQ(Proxy("learner:7070"), "");
}

TEST_F(HttpProxyTest, IsNoneForLoopbackAndForExceptions) {
  environment_["http_proxy"] = "http://proxy:3128";
  for (const char* address : {"127.0.0.1:7070", "127.0.0.2:1", "[::1]:1", "localhost:1", "unix:/tmp/x"}) {
    EXPECT_EQ(Proxy(address), "") << address;
  }
  environment_["no_proxy"] = "other, .example.org ,LEARNER";
  EXPECT_EQ(Proxy("learner:7070"), "");
  EXPECT_EQ(Proxy("a.example.org:7070"), "");
  EXPECT_EQ(Proxy("192.0.2.1:7070"), "http_proxy proxy:3128");
  environment_["no_grpc_proxy"] = "192.0.2.1";
  EXPECT_EQ(Proxy("192.0.2.1:7070"), "");
  EXPECT_EQ(Proxy("learner:7070"), "http_proxy proxy:3128");
}

TEST(TokenFile, HoldsOneWord) {
  const TemporaryFolder folder;
  EXPECT_EQ(*ReadTokenFile({"--token_file", Written(folder, "  sixteen-letters-!\n\n")}), "sixteen-letters-!");
  const auto refusal = [&](const std::string& text) {
    return std::string(ReadTokenFile({"--token_file", Written(folder, text)}).status().message());
  };
  EXPECT_THAT(refusal("short"), HasSubstr("holds a token of 5 characters, expected 16 to 4096"));
  EXPECT_THAT(refusal(std::string(5000, 'x')), HasSubstr("5000 characters"));
  EXPECT_THAT(refusal("two words of some length"), HasSubstr("one word"));
  EXPECT_THAT(refusal(""), HasSubstr(absl::StrCat("--token_file=", folder / "file", ": is empty")));
  EXPECT_EQ(ReadTokenFile({"--token_file", folder / "none"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(ReadTokenFile({"--token_file", folder / ""}).status().message()),
              HasSubstr("expected a file"));
}

TEST(BearerToken, IsComparedWhole) {
  EXPECT_TRUE(EqualInConstantTime("abc", "abc"));
  for (const char* other : {"", "ab", "abcabc", "abd", "Abc"}) EXPECT_FALSE(EqualInConstantTime("abc", other)) << other;
  EXPECT_FALSE(EqualInConstantTime("", "")) << "no token is no password";
}

// A file that somebody has taken a lease of stands for one on a mount that hangs: opening it does not return.
TEST(BearerToken, AFileThatCannotBeReadHoldsNobodyUp) {
  const TemporaryFolder folder;
  const std::string path = Written(folder, "the-first-of-them");
  auto token = BearerToken::Open({"--token_file", path});
  ASSERT_TRUE(token.ok());
  signal(SIGIO, SIG_IGN);  // tells who has the lease that somebody waits
  const int held = open(path.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(fcntl(held, F_SETLEASE, F_WRLCK), 0);
  const SteadyTime begun = SteadyTime::Now();
  while (SteadyTime::Now() - begun < BearerToken::kReloadPeriod * 1.5) {
    const SteadyTime asked = SteadyTime::Now();
    EXPECT_EQ((*token)->Get(), "the-first-of-them");
    EXPECT_LT(SteadyTime::Now() - asked, absl::Seconds(1));
    absl::SleepFor(absl::Milliseconds(10));
  }
  *token = nullptr;
  EXPECT_LT(SteadyTime::Now() - begun, BearerToken::kReloadPeriod * 4);
  EXPECT_NE(fcntl(held, F_GETLEASE), F_WRLCK) << "nobody has tried to read it";
  fcntl(held, F_SETLEASE, F_UNLCK);  // lets what was left behind go
  close(held);
}

TEST(BearerToken, FollowsItsFileAndKeepsTheLastGoodOne) {
  const TemporaryFolder folder;
  const auto token = BearerToken::Open({"--token_file", Written(folder, "the-first-of-them")});
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ((*token)->Get(), "the-first-of-them");
  Written(folder, "the-second-of-them");
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while ((*token)->Get() != "the-second-of-them" && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(20));
  EXPECT_EQ((*token)->Get(), "the-second-of-them");
  Written(folder, "");
  absl::SleepFor(BearerToken::kReloadPeriod * 1.2);
  EXPECT_EQ((*token)->Get(), "the-second-of-them");
}

TEST(SecretFile, IsItsOwnersAlone) {
  const TemporaryFolder folder;
  const std::string token = RandomToken();
  EXPECT_EQ(token.size(), 64);
  EXPECT_NE(token, RandomToken());
  ASSERT_TRUE(WriteSecretFile(Written(folder, "of before"), token).ok());
  struct stat facts = {};
  ASSERT_EQ(stat((folder / "file").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600);
  EXPECT_EQ(*ReadTokenFile({"--token_file", folder / "file"}), token);
}

TEST(IdentityFiles, AreReadAndMatched) {
  const TemporaryFolder folder;
  const std::string make = absl::StrCat(TROUPE_SOURCE_DIR "/deploy/certificates.sh ", folder / "", " > /dev/null");
  ASSERT_EQ(std::system(make.c_str()), 0);
  const auto check = [&](const std::string& certificate, const std::string& key) {
    return std::string(
        CheckIdentityFiles({"--tls_certificate", folder / certificate}, {"--tls_key", folder / key}).message());
  };
  EXPECT_EQ(check("learner.pem", "learner.key"), "");
  EXPECT_EQ(check("worker.pem", "worker.key"), "");
  EXPECT_THAT(check("worker.pem", "learner.key"), HasSubstr("learner.key: is not the key of --tls_certificate="));
  EXPECT_THAT(check("learner.key", "learner.key"), HasSubstr("expected a certificate in PEM"));
  EXPECT_THAT(check("learner.pem", "learner.pem"), HasSubstr("expected a private key in PEM"));
  EXPECT_THAT(check("none", "learner.key"), HasSubstr("none: cannot be read: No such file"));
  EXPECT_TRUE(CheckAuthorityFile({"--tls_ca", folder / "ca.pem"}).ok());
}

TEST(ServerSecurity, AddressesOfOthersNeedTlsAndACheckOfWhoComes) {
  const auto refusal = [](const ServerSecurity& security, const std::string& address) {
    return std::string(CheckServerSecurity(security, address).message());
  };
  EXPECT_EQ(refusal({}, "127.0.0.1:0"), "");
  EXPECT_EQ(refusal({.insecure = true}, "0.0.0.0:0"), "");
  EXPECT_THAT(refusal({}, "0.0.0.0:0"), HasSubstr("nothing is encrypted or checked"));
  EXPECT_THAT(refusal({.token_file = "t"}, "0.0.0.0:0"), HasSubstr("would travel in plain text"));
  EXPECT_THAT(refusal({.tls_certificate = "c", .tls_key = "k"}, "[::]:0"), HasSubstr("lets everybody in"));
  EXPECT_THAT(refusal({.tls_key = "k"}, "127.0.0.1:0"), HasSubstr("expected both or neither"));
}

}  // namespace
}  // namespace troupe
