// deploy/gateway/gateway.sh as a child process, in a folder of its own.
#ifndef TROUPE_TESTS_INTEGRATION_GATEWAY_PROCESS_H_
#define TROUPE_TESTS_INTEGRATION_GATEWAY_PROCESS_H_

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/common/temporary_folder.h"
#include "tests/integration/run_processes.h"
#include "tests/support/loopback.h"

namespace troupe::testing {

class GatewayProcess {
 public:
  // Whether there is an nginx with its stream module.
  static bool Installed() {
    const std::string command =
        absl::StrCat("PATH=", Path(),
                     "; nginx=$(command -v nginx) && [ -e \"${nginx%/*}/../lib/nginx/modules/ngx_stream_module.so\" ]");
    return std::system(command.c_str()) == 0;
  }

  // In front of the learner at unix:PATH; at `address` again, or at a free port.
  GatewayProcess(const std::string& learner, const std::vector<std::string>& flags, const std::string& address = "")
      : port_(PortOf(address)), process_(Program(), Arguments(learner, flags), {absl::StrCat("PATH=", Path())}) {}
  ~GatewayProcess() {
    process_.Signal(SIGTERM);
    process_.Wait(absl::Seconds(10));
  }

  int port() const { return port_; }
  // By a name that the learner's certificate has.
  std::string address() const { return absl::StrCat("localhost:", port_); }
  const std::string& output() const { return process_.output(); }
  bool Prints(const std::string& text) { return process_.Prints(text); }
  int Wait() { return process_.Wait(absl::Seconds(30)); }

  // SIGKILL to all of nginx's processes, once it serves.
  void Kill() {
    int nginx = 0;
    while (!absl::SimpleAtoi(ReadText(folder_ / "gateway/nginx.pid"), &nginx)) process_.Prints("\n");
    kill(-nginx, SIGKILL);
    EXPECT_NE(Wait(), 0) << output();
  }

 private:
  // What deploy/setup.sh --tests unpacks, then Debian's own.
  static std::string Path() {
    return absl::StrCat(TROUPE_SOURCE_DIR "/.deps/nginx/usr/sbin:", std::getenv("PATH"), ":/usr/sbin");
  }
  static std::string Program() {
    return std::filesystem::relative(TROUPE_SOURCE_DIR "/deploy/gateway/gateway.sh", TROUPE_BIN_DIR);
  }
  static int PortOf(const std::string& address) {
    int port = 0;
    return absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port) ? port : FreePort();
  }
  std::vector<std::string> Arguments(const std::string& learner, const std::vector<std::string>& flags) const {
    std::vector<std::string> all = {absl::StrCat("--learner=", learner), absl::StrCat("--listen=127.0.0.1:", port_),
                                    absl::StrCat("--folder=", folder_ / "gateway"), "--processes=1"};
    all.insert(all.end(), flags.begin(), flags.end());
    return all;
  }

  const TemporaryFolder folder_;
  const int port_;
  Process process_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_INTEGRATION_GATEWAY_PROCESS_H_
