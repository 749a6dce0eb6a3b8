// Certificates and tokens of a test's own, and what a secured learner and its peers are given of them.
#ifndef TROUPE_TESTS_INTEGRATION_SECURED_RUN_H_
#define TROUPE_TESTS_INTEGRATION_SECURED_RUN_H_

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/security/client_credentials.h"
#include "grpcpp/client_context.h"
#include "proto/health.grpc.pb.h"
#include "tests/integration/run_processes.h"
#include "tests/support/loopback.h"

namespace troupe::testing {

inline constexpr char kGoodToken[] = "the-token-of-this-test";

// An authority with a learner's and a worker's certificate, and a token, in a folder.
struct Credentials {
  explicit Credentials(const std::string& token = kGoodToken) {
    Make();
    WriteToken(token);
  }
  // Runs deploy/certificates.sh; returns what it printed.
  std::string Make(const std::string& more = "") const {
    const std::string command =
        absl::StrCat(TROUPE_SOURCE_DIR "/deploy/certificates.sh ", folder / "", " ", more, " > ", folder / "made.txt");
    if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
    return ReadText(folder / "made.txt");
  }
  void WriteToken(const std::string& token) const { std::ofstream(folder / "token") << token << "\n"; }
  // As an operator who renews everything under the feet of running processes.
  void ReplaceBy(const Credentials& other) const {
    for (const char* name : {"ca.pem", "learner.pem", "learner.key", "worker.pem", "worker.key", "token"}) {
      std::filesystem::copy_file(other.folder / name, folder / absl::StrCat(name, ".new"));
      std::filesystem::rename(folder / absl::StrCat(name, ".new"), folder / name);
    }
  }

  std::vector<std::string> LearnerTls() const {
    return {absl::StrCat("--tls_certificate=", folder / "learner.pem"),
            absl::StrCat("--tls_key=", folder / "learner.key")};
  }
  std::string LearnerClientCa() const { return absl::StrCat("--tls_client_ca=", folder / "ca.pem"); }
  std::string TokenFlag() const { return absl::StrCat("--token_file=", folder / "token"); }
  std::vector<std::string> WorkerTls() const { return {absl::StrCat("--tls_ca=", folder / "ca.pem")}; }
  std::vector<std::string> WorkerIdentity() const {
    return {absl::StrCat("--tls_certificate=", folder / "worker.pem"),
            absl::StrCat("--tls_key=", folder / "worker.key")};
  }
  // Everything a worker can show.
  ClientSecurity Client() const {
    return {.tls_ca = folder / "ca.pem",
            .tls_certificate = folder / "worker.pem",
            .tls_key = folder / "worker.key",
            .token_file = folder / "token"};
  }

  TemporaryFolder folder;
};

inline std::vector<std::string> Joined(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// One health check over a connection of its own.
inline grpc::Status AskOnce(const std::string& address, const ClientSecurity& security) {
  const auto credentials = ClientCredentials::Load(security, address);
  if (!credentials.ok()) throw std::runtime_error(credentials.status().ToString());
  grpc::ChannelArguments arguments;
  arguments.SetInt("grpc.use_local_subchannel_pool", 1);
  const auto stub = grpc::health::v1::Health::NewStub((*credentials)->OpenChannel(address, arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  grpc::health::v1::HealthCheckResponse response;
  return stub->Check(&context, {}, &response);
}

// The page at http://HOST:PORT/metrics, given that address as the learner prints it.
inline std::string ReadMetrics(const std::string& url) {
  const std::string place = url.substr(7, url.find('/', 7) - 7);
  int port = 0;
  if (!absl::SimpleAtoi(place.substr(place.rfind(':') + 1), &port)) return "";
  return HttpGet(port, "/metrics");
}

// troupe_rejected_requests_total{reason}, 0 while there is none.
inline int Rejected(const std::string& metrics_url, const std::string& reason) {
  const std::string page = ReadMetrics(metrics_url);
  const std::string series = absl::StrCat("troupe_rejected_requests_total{reason=\"", reason, "\"} ");
  const size_t at = page.find(series);
  return at == std::string::npos ? 0 : std::atoi(page.c_str() + at + series.size());
}

// Waits until `holds` does.
template <typename Condition>
bool Eventually(const Condition& holds, absl::Duration patience = absl::Seconds(60)) {
  const absl::Time deadline = absl::Now() + patience;
  while (!holds()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(50));
  }
  return true;
}

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_INTEGRATION_SECURED_RUN_H_
