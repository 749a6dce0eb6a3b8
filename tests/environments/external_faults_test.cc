// What an environment server may do wrong, and what is said of it.
#include <fstream>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "actor_worker/environments/vector_environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/conformance/environment_buffers.h"
#include "tests/environments/external_test_support.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class ExternalFaults : public testing::Test {
 protected:
  absl::Status Create(SettingsMap settings) {
    settings.insert({"start_timeout_seconds", "20"});
    auto created = ExternalEntry().create(settings);
    if (created.ok()) environment_ = *std::move(created);
    return created.status();
  }
  // What becomes of the first reset.
  absl::Status Reset(SettingsMap settings) {
    settings.insert({"timeout_seconds", "20"});
    const absl::Status created = Create(settings);
    EXPECT_TRUE(created.ok()) << created;
    return created.ok() ? environment_->Reset(1) : created;
  }
  void Expect(const absl::Status& status, absl::StatusCode code, const testing::Matcher<std::string>& words) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), words);
  }

  TemporaryFolder folder_;
  std::unique_ptr<Environment> environment_;
};

TEST_F(ExternalFaults, AServerThatEndsBeforeItsHelloIsQuoted) {
  Expect(Create(ScriptServer::Script(folder_, "echo out of luck; exit 3")), absl::StatusCode::kUnavailable,
         AllOf(HasSubstr("exited with status 3"), HasSubstr("out of luck")));
}

TEST_F(ExternalFaults, AServerWithoutAHelloIsGivenUp) {
  SettingsMap settings = ScriptServer::Script(folder_, "echo thinking; exec sleep 60");
  settings["start_timeout_seconds"] = "0.3";
  Expect(Create(settings), absl::StatusCode::kDeadlineExceeded, AllOf(HasSubstr("in time"), HasSubstr("thinking")));
}

TEST_F(ExternalFaults, AnErrorOfTheServersIsToldInItsWords) {
  Expect(Create(ScriptServer::Script(folder_, "echo 'error ImportError: no module named tea' >&3; exec sleep 60")),
         absl::StatusCode::kInternal, HasSubstr("ImportError: no module named tea"));
  Expect(Reset(ScriptServer::AfterHello(folder_, "read word <&3; echo 'error out of tea' >&3; exec sleep 60")),
         absl::StatusCode::kInternal, HasSubstr("out of tea"));
}

TEST_F(ExternalFaults, AHelloThatCannotBeIsRefusedByItsField) {
  const auto created = [&](const std::string& line) {
    return Create(ScriptServer::Script(folder_, absl::StrCat("echo '", line, "' >&3; exec sleep 60")));
  };
  const auto of_group = [&](const std::string& fields) {
    return created(absl::StrCat("hello {\"protocol_version\": 1, \"spec\": {\"groups\": [{", fields, "}]}}"));
  };
  Expect(created("good day"), absl::StatusCode::kInternal, HasSubstr("said \"good day\""));
  Expect(created("hello {"), absl::StatusCode::kInvalidArgument, HasSubstr("hello: no ServerHello"));
  Expect(created("hello {\"protocol_version\": 2}"), absl::StatusCode::kInvalidArgument,
         HasSubstr("hello.protocol_version: came 2, expected 1"));
  Expect(created("hello {\"protocol_version\": 1, \"colour\": 3}"), absl::StatusCode::kInvalidArgument,
         HasSubstr("colour"));
  Expect(created("hello {\"protocol_version\": 1, \"spec\": {\"machine_settings\": [\"x\"]}}"),
         absl::StatusCode::kInvalidArgument, HasSubstr("hello.spec.machine_settings"));
  Expect(created("hello {\"protocol_version\": 1}"), absl::StatusCode::kInvalidArgument, HasSubstr("hello.spec."));
  const std::string agents = "\"name\": \"g\", \"agents\": [\"a\"], \"action_kind\": ";
  Expect(of_group(agents + "\"DISCRETE\", \"action_size\": 2"), absl::StatusCode::kInvalidArgument,
         HasSubstr("observation_size"));
  Expect(
      of_group(agents + "\"CONTINUOUS\", \"action_size\": 1, \"observation_size\": 1, \"action_low\": [\"-Infinity\"], "
                        "\"action_high\": [1]"),
      absl::StatusCode::kInvalidArgument, HasSubstr("finite bounds"));
}

TEST_F(ExternalFaults, CopiesThatTakeTooMuchMemoryAreRefusedBeforeItIsAllocated) {
  const std::string hello =
      "echo 'hello {\"protocol_version\": 1, \"spec\": {\"groups\": [{\"name\": \"g\", \"agents\": [\"a\"], "
      "\"observation_size\": 1000000, \"action_kind\": \"DISCRETE\", \"action_size\": 2}]}}' >&3; exec sleep 60";
  Expect(VectorEnvironment::Create(ExternalEntry(), ScriptServer::Script(folder_, hello), 300).status(),
         absl::StatusCode::kResourceExhausted, HasSubstr("300 copies"));
}

TEST_F(ExternalFaults, ALineWithoutEndIsNotKept) {
  Expect(Create(ScriptServer::Script(folder_, "exec cat /dev/zero >&3")), absl::StatusCode::kResourceExhausted,
         HasSubstr("a line of more than"));
}

TEST_F(ExternalFaults, AStepThatTakesTooLongIsGivenUpWithWhatTheServerSaysOfIt) {
  SettingsMap settings = ScriptServer::AfterHello(
      folder_, "trap 'echo Error: it was in the kitchen; exit 1' ABRT; read word <&3; sleep 60 & wait");
  settings["timeout_seconds"] = "0.3";
  Expect(Reset(settings), absl::StatusCode::kDeadlineExceeded,
         AllOf(HasSubstr("in time"), HasSubstr("in the kitchen")));
}

TEST_F(ExternalFaults, AServerThatDiesIsTold) {
  Expect(Reset(ScriptServer::AfterHello(folder_, "read word <&3; echo ouch; kill -9 $$")),
         absl::StatusCode::kUnavailable, AllOf(HasSubstr("ended by signal 9"), HasSubstr("ouch")));
}

TEST_F(ExternalFaults, AServerThatDiedBeforeItIsRungIsToldByItsLastWords) {
  const absl::Status created = Create(ScriptServer::AfterHello(folder_, "echo 'error it rained' >&3; exit 1"));
  ASSERT_TRUE(created.ok()) << created;
  Expect(environment_->Reset(1), absl::StatusCode::kInternal, HasSubstr("it rained"));
}

TEST_F(ExternalFaults, AnAnswerThatIsNoneIsQuoted) {
  Expect(Reset(ScriptServer::AfterHello(folder_, "read word <&3; echo nearly >&3; exec sleep 60")),
         absl::StatusCode::kInternal, HasSubstr("said \"nearly\", expected \"done\""));
}

// While it is taken for the next step's, the server still writes what comes of that.
TEST_F(ExternalFaults, ASecondAnswerToAStepIsNoneToTheNext) {
  ASSERT_TRUE(Create({{"server_program", TROUPE_BIN_DIR "/identity_server"}, {"server_options", folder_.path()}}).ok());
  ASSERT_TRUE(environment_->Reset(1).ok());
  const std::vector<int32_t> actions(2, 0);
  std::vector<float> rewards(2);
  const JointAction action{.groups = {{.discrete = actions}}};
  std::ofstream(folder_ / "fail") << "twice";
  absl::Status status;
  int steps = 0;
  // Episodes have five steps at least.
  for (; steps < 4 && status.ok(); ++steps) {
    StepOutcome outcome{.rewards = {absl::MakeSpan(rewards)}};
    status = environment_->Step(action, outcome);
  }
  Expect(
      status, absl::StatusCode::kInternal,
      AnyOf(HasSubstr("said \"done\" without being asked"), HasSubstr("before it said how the step of copy 0 ended")));
  EXPECT_LE(steps, 3) << "the answer after it";
}

TEST_F(ExternalFaults, AfterAnErrorACopyHasNothingElseToSay) {
  const absl::Status first = Reset(ScriptServer::AfterHello(folder_, "read word <&3; echo 'error x' >&3; exit 1"));
  EXPECT_EQ(environment_->Reset(1), first);
}

TEST_F(ExternalFaults, WhatADeadServerStartedDiesWithIt) {
  const std::string helper = folder_ / "helper";
  Expect(Create(ScriptServer::Script(folder_, absl::StrCat("sleep 60 & echo $! > ", helper, "; exit 3"))),
         absl::StatusCode::kUnavailable, HasSubstr("exited with status 3"));
  pid_t pid = 0;
  std::ifstream(helper) >> pid;
  ASSERT_GT(pid, 0);
  // Nobody's child any more, it may be a moment until it is gone.
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  const auto runs = [pid] {
    std::string text;
    std::getline(std::ifstream(absl::StrCat("/proc/", pid, "/stat")), text);
    return !text.empty() && text.find(") Z ") == std::string::npos;
  };
  while (runs() && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_FALSE(runs());
}

TEST_F(ExternalFaults, AMemoryLimitIsTheChilds) {
  // tail keeps the only line there is, which has no end.
  SettingsMap settings = ScriptServer::Script(folder_, "tail -n 1 /dev/zero; echo tail ended with $?; exit 4");
  settings["memory_limit_mb"] = "64";
  Expect(Create(settings), absl::StatusCode::kUnavailable,
         AllOf(HasSubstr("exited with status 4"), HasSubstr("memory exhausted")));
}

}  // namespace
}  // namespace troupe
