// A learner and its own workers, `learner health` and a worker, by every address and past the environment's proxy.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/own_programs.h"
#include "tests/integration/run_processes.h"
#include "tests/support/loopback.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

// Nobody listens there: what goes through it arrives nowhere.
std::vector<std::string> DeadProxy() {
  const std::string proxy = absl::StrCat("=http://127.0.0.1:", FreePort());
  return {"http_proxy" + proxy, "https_proxy" + proxy, "grpc_proxy" + proxy, "no_proxy=", "no_grpc_proxy=nobody"};
}

// An address of this machine that is not loopback; empty: it has none.
std::string OwnAddress() {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return "";
  std::string found;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    char text[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr, text, sizeof(text));
    found = text;
  }
  freeifaddrs(all);
  return found;
}

void ExpectTrains(const std::string& listen, const std::vector<std::string>& more = {}) {
  SmallRun run("SYNCHRONOUS", 1);
  std::vector<std::string> arguments = {absl::StrCat("--experiment=", run.folder / "e.textproto"),
                                        absl::StrCat("--run_dir=", run.folder / "run"), "--local_workers=1",
                                        "--no_final_evaluation", absl::StrCat("--listen=", listen)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  Process learner("learner", arguments, DeadProxy());
  EXPECT_EQ(learner.Wait(), 0) << listen << "\n" << learner.output() << run.Logs();
}

TEST(Addresses, LocalWorkersReachTheirLearnerWhereverItListens) {
  ExpectTrains("127.0.0.1:0");
  ExpectTrains("127.0.0.2:0");
  ExpectTrains("localhost:0");
  ExpectTrains("0.0.0.0:0", {"--insecure"});
  ExpectTrains("[::1]:0");
}

TEST(Addresses, LocalWorkersReachALearnerThatListensAtOneAddressOfItsMachine) {
  const std::string address = OwnAddress();
  if (address.empty()) GTEST_SKIP() << "this machine has only loopback addresses";
  ExpectTrains(address + ":0", {"--insecure"});
}

TEST(Addresses, WorkersAndHealthOfThisMachinePassTheProxyBy) {
  SmallRun run("SYNCHRONOUS", 1000000);
  const auto learner = run.Learner(0);
  ASSERT_TRUE(learner->Prints("run folder")) << learner->output();
  const std::string address = learner->WordAfter("they connect to ");
  Process health("learner", {"health", absl::StrCat("--connect=", address)}, DeadProxy());
  EXPECT_EQ(health.Wait(), 0) << health.output();
  Process worker("actor_worker", {absl::StrCat("--learner=", address)}, DeadProxy());
  EXPECT_TRUE(worker.Prints(absl::StrCat(" at ", address, "\n"))) << worker.output();
  EXPECT_TRUE(run.Reaches(1));
}

TEST(Addresses, AConnectionThroughAProxyNamesIt) {
  const std::vector<std::string> proxy = DeadProxy();
  const std::string named =
      absl::StrCat("learner.invalid:7070 through the proxy ", proxy[2].substr(18), " (grpc_proxy)");
  Process worker("actor_worker", {"--learner=learner.invalid:7070"}, proxy);
  EXPECT_TRUE(worker.Prints(named)) << worker.output();
  Process health("learner", {"health", "--connect=learner.invalid:7070"}, proxy);
  EXPECT_NE(health.Wait(), 0);
  EXPECT_THAT(health.output(), HasSubstr(named));
}

TEST(Addresses, ALearnerThatWaitsForItsOwnWorkerSaysWhatThatSays) {
  const OwnPrograms programs("--learner=*) echo the simulator loads its map; exec sleep 300 ;;");
  SmallRun run("SYNCHRONOUS", 1);
  const auto learner =
      programs.Learner({absl::StrCat("--experiment=", run.folder / "e.textproto"),
                        absl::StrCat("--run_dir=", run.folder / "run"), "--local_workers=1", "--no_final_evaluation"});
  EXPECT_TRUE(learner->Prints("waiting for the first worker at 127.0.0.1:")) << learner->output();
  EXPECT_TRUE(learner->Prints(absl::StrCat(run.folder / "run", "/workers/0.log: \"the simulator loads its map\"")))
      << learner->output();
  learner->Signal(SIGTERM);
  EXPECT_EQ(learner->Wait(), 0);
}

}  // namespace
}  // namespace troupe::testing
