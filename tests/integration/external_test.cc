// Runs on environments of other processes: the same weights however they are collected, and what their faults cost.
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kLineWalk[] =
    "name: 'external' settings { key: 'server_program' value: '" TROUPE_BIN_DIR "/line_walk_server' }";

// Runs `script` with sh in place of the line walk, whose program and hello it may use as $walk and $hello.
std::string ScriptEnvironment(const TemporaryFolder& folder, const std::string& script) {
  std::ofstream(folder / "server.sh") << "walk=" TROUPE_BIN_DIR "/line_walk_server\n"
                                      << "hello=$(TROUPE_SOCKET=1 $walk)\n"
                                      << script;
  return absl::StrCat("name: 'external' settings { key: 'server_program' value: 'sh ", folder / "server.sh", "' }");
}

std::string WeightsWith(int workers, const std::string& mode, std::vector<std::string> flags) {
  SmallRun run(mode, 6, kLineWalk);
  const auto learner = run.Learner(workers, std::move(flags));
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  return learner->WordAfter("weights sha256 ");
}

TEST(ExternalRun, WeightsDependNeitherOnWorkersNorOnProcesses) {
  for (const char* mode : {"SYNCHRONOUS", "PIPELINED"}) {
    const std::string one = WeightsWith(1, mode, {});
    EXPECT_EQ(one.size(), 64);
    EXPECT_EQ(WeightsWith(2, mode, {"--set=environment.settings.processes=3"}), one) << mode;
  }
}

TEST(ExternalRun, AServerThatDiesCostsItsShardALease) {
  const TemporaryFolder folder;
  // The first server with the four copies of a shard.
  const std::string script = absl::StrCat(
      "if [ $TROUPE_COPIES = 4 ] && mkdir ", folder / "first",
      " 2>/dev/null; then echo \"$hello\" >&3; read word <&3; echo the disk is full; exit 7; fi\nexec $walk\n");
  SmallRun run("PIPELINED", 4, ScriptEnvironment(folder, script));
  const auto learner = run.Learner(1);
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  EXPECT_THAT(run.Logs(), HasSubstr("the disk is full"));
}

TEST(ExternalRun, OneThatFailsEveryTimeEndsTheRunWithItsWords) {
  const TemporaryFolder folder;
  const std::string script =
      "echo \"$hello\" >&3; read word <&3; echo 'error ZeroDivisionError: the cake is a lie' >&3; exit 1\n";
  SmallRun run("PIPELINED", 4, ScriptEnvironment(folder, script));
  const auto learner = run.Learner(2);
  EXPECT_EQ(learner->Wait(), 1 << 8) << learner->output() << run.Logs();
  EXPECT_THAT(learner->output(),
              AllOf(HasSubstr("no worker can collect shard"), HasSubstr("ZeroDivisionError: the cake is a lie")));
}

TEST(ExternalRun, OneThatOffersOtherThingsThanItDidIsRefused) {
  const TemporaryFolder folder;
  const std::string script =
      "[ $TROUPE_COPIES = 4 ] || exec $walk\necho \"$hello\" | sed s/bob/rob/ >&3; read word <&3; exit 1\n";
  SmallRun run("PIPELINED", 4, ScriptEnvironment(folder, script));
  const auto learner = run.Learner(1);
  EXPECT_EQ(learner->Wait(), 1 << 8) << learner->output() << run.Logs();
  EXPECT_THAT(learner->output(), HasSubstr("rob"));
}

}  // namespace
}  // namespace troupe::testing
