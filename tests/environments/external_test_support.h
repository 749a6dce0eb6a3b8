// Environment servers for tests: shell scripts that speak a few lines of the protocol, and the client of docs/clients.
#ifndef TROUPE_TESTS_ENVIRONMENTS_EXTERNAL_TEST_SUPPORT_H_
#define TROUPE_TESTS_ENVIRONMENTS_EXTERNAL_TEST_SUPPORT_H_

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/environment.h"
#include "tests/common/temporary_folder.h"

namespace troupe {

EnvironmentEntry ExternalEntry();

// docs/clients/line_walk.cc, as it is built for tests.
inline SettingsMap LineWalk(SettingsMap more = {}) {
  more["server_program"] = TROUPE_BIN_DIR "/line_walk_server";
  return more;
}

// What a server of one agent with two actions says first.
inline constexpr char kHelloOfOne[] =
    "hello {\"protocol_version\": 1, \"spec\": {\"groups\": [{\"name\": \"g\", \"agents\": [\"a\"], "
    "\"observation_size\": 1, \"action_kind\": \"DISCRETE\", \"action_size\": 2}]}}";

// A server that is a shell script: descriptor 3 is its socket.
class ScriptServer {
 public:
  // `after_hello` runs where kHelloOfOne was said; `script` is all that runs.
  static SettingsMap AfterHello(const TemporaryFolder& folder, const std::string& after_hello) {
    return Script(folder, absl::StrCat("echo '", kHelloOfOne, "' >&3\n", after_hello, "\n"));
  }
  static SettingsMap Script(const TemporaryFolder& folder, const std::string& script) {
    std::ofstream(folder / "server.sh") << script;
    return {{"server_program", "sh"}, {"server_options", folder / "server.sh"}};
  }
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ENVIRONMENTS_EXTERNAL_TEST_SUPPORT_H_
