// Learners behind TLS, mutual TLS and tokens, over real sockets: who gets in, who does not, and what that costs.
#include <sys/wait.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/secured_run.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Trains to the end with one worker elsewhere; the weights' hash.
std::string WeightsOver(const std::vector<std::string>& learner_flags, const std::vector<std::string>& worker_flags,
                        int local_workers) {
  SmallRun run("PIPELINED", 12);
  const auto learner = run.Learner(
      local_workers,
      Joined({"--listen=localhost:0", absl::StrCat("--expected_workers=", local_workers + 1)}, learner_flags));
  EXPECT_TRUE(learner->Prints("they connect to ")) << learner->output();
  Process worker("actor_worker",
                 Joined({absl::StrCat("--learner=", learner->WordAfter("they connect to "))}, worker_flags));
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << worker.output() << run.Logs();
  EXPECT_EQ(worker.Wait(absl::Seconds(30)), 0) << worker.output();
  return learner->WordAfter("weights sha256 ");
}

TEST(TransportSecurity, TrainsTheSameWeightsWhateverProtectsTheWire) {
  const Credentials own;
  const std::string plain = WeightsOver({}, {}, 0);
  EXPECT_EQ(plain.size(), 64);
  EXPECT_EQ(WeightsOver({own.TokenFlag()}, {own.TokenFlag()}, 0), plain);
  EXPECT_EQ(WeightsOver(Joined(own.LearnerTls(), {own.TokenFlag()}), Joined(own.WorkerTls(), {own.TokenFlag()}), 0),
            plain);
  const std::vector<std::string> mutual = Joined(own.LearnerTls(), {own.LearnerClientCa()});
  const std::vector<std::string> known = Joined(own.WorkerTls(), own.WorkerIdentity());
  EXPECT_EQ(WeightsOver(mutual, known, 0), plain);
  EXPECT_EQ(WeightsOver(Joined(mutual, {own.TokenFlag()}), Joined(known, {own.TokenFlag()}), 1), plain)
      << "a local worker beside the other";
}

TEST(TransportSecurity, StrangersAreRefusedAndCountedWhileAnHonestWorkerTrainsOn) {
  const Credentials own, foreign("a-token-of-somebody-else");
  SmallRun run("PIPELINED", 100000);
  const auto learner =
      run.Learner(0, Joined(own.LearnerTls(), {"--listen=localhost:0", own.LearnerClientCa(), own.TokenFlag()}));
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  ASSERT_TRUE(learner->Prints("/metrics")) << learner->output();
  const std::string address = learner->WordAfter("they connect to ");
  const std::string metrics = absl::StrCat("http://", learner->WordAfter("http://"));
  Process worker("actor_worker", Joined({absl::StrCat("--learner=", address), own.TokenFlag()},
                                        Joined(own.WorkerTls(), own.WorkerIdentity())));
  ASSERT_TRUE(run.Reaches(5)) << learner->output() << worker.output();

  struct Stranger {
    std::string reason;
    ClientSecurity security;
    grpc::StatusCode code;
  };
  std::vector<Stranger> strangers(5, {"", own.Client(), grpc::StatusCode::UNAVAILABLE});
  strangers[0].reason = "tls_plaintext";
  strangers[0].security = {};
  strangers[1].reason = "tls_no_certificate";
  strangers[1].security.tls_certificate = strangers[1].security.tls_key = "";
  strangers[2].reason = "tls_certificate";
  strangers[2].security.tls_certificate = foreign.folder / "worker.pem";
  strangers[2].security.tls_key = foreign.folder / "worker.key";
  strangers[3].reason = "unauthenticated";
  strangers[3].security.token_file = "";
  strangers[4].reason = "token";
  strangers[4].security.token_file = foreign.folder / "token";
  strangers[3].code = strangers[4].code = grpc::StatusCode::UNAUTHENTICATED;
  for (const Stranger& stranger : strangers) {
    const int before = Rejected(metrics, stranger.reason);
    const grpc::Status status = AskOnce(address, stranger.security);
    EXPECT_EQ(status.error_code(), stranger.code) << stranger.reason << ": " << status.error_message();
    EXPECT_TRUE(Eventually([&] { return Rejected(metrics, stranger.reason) > before; })) << stranger.reason;
  }
  EXPECT_TRUE(AskOnce(address, own.Client()).ok());
  EXPECT_TRUE(run.Reaches(run.RecordedUpdates().size() + 20)) << learner->output() << worker.output();
  learner->Signal(SIGTERM);
  EXPECT_EQ(learner->Wait(), 0) << learner->output();
  worker.Signal(SIGTERM);
  EXPECT_EQ(worker.Wait(absl::Seconds(30)), 0) << worker.output();
}

TEST(TransportSecurity, AClientRefusesALearnerOfAnotherAuthorityOrName) {
  const Credentials own, foreign;
  SmallRun run("PIPELINED", 100000);
  const auto learner = run.Learner(0, Joined(own.LearnerTls(), {own.TokenFlag()}));
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const std::string address = learner->WordAfter("they connect to ");
  ClientSecurity client = own.Client();
  EXPECT_TRUE(AskOnce(address, client).ok());
  client.tls_server_name = "elsewhere.example";
  EXPECT_EQ(AskOnce(address, client).error_code(), grpc::StatusCode::UNAVAILABLE);
  client.tls_server_name = "learner";
  EXPECT_TRUE(AskOnce(address, client).ok());
  client.tls_ca = foreign.folder / "ca.pem";
  EXPECT_EQ(AskOnce(address, client).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(TransportSecurity, RenewedCertificatesAndTokensAreTakenWithoutARestart) {
  const Credentials own, old, renewed("the-token-that-comes-after");
  own.ReplaceBy(old);
  SmallRun run("PIPELINED", 100000);
  const auto learner = run.Learner(0, Joined(own.LearnerTls(), {own.LearnerClientCa(), own.TokenFlag()}));
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const std::string address = learner->WordAfter("they connect to ");
  EXPECT_TRUE(AskOnce(address, old.Client()).ok());
  EXPECT_FALSE(AskOnce(address, renewed.Client()).ok());
  own.ReplaceBy(renewed);
  EXPECT_TRUE(Eventually([&] { return AskOnce(address, renewed.Client()).ok(); }));
  EXPECT_FALSE(AskOnce(address, old.Client()).ok());
}

TEST(TransportSecurity, HealthTellsByItsExitStatus) {
  const Credentials own;
  SmallRun run("PIPELINED", 100000);
  const auto learner = run.Learner(0, Joined(own.LearnerTls(), {own.LearnerClientCa()}));
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const std::string connect = absl::StrCat("--connect=", learner->WordAfter("they connect to "));
  Process good("learner", Joined({"health", connect}, Joined(own.WorkerTls(), own.LearnerTls())));
  EXPECT_EQ(good.Wait(absl::Seconds(30)), 0) << good.output();
  EXPECT_THAT(good.output(), HasSubstr("SERVING (starting)\n"));
  Process stranger("learner", {"health", connect});
  EXPECT_EQ(WEXITSTATUS(stranger.Wait(absl::Seconds(30))), 1);
  EXPECT_THAT(stranger.output(), HasSubstr("health of "));
  learner->Signal(SIGKILL);
  learner->Wait();
  Process nobody("learner", Joined({"health", connect}, Joined(own.WorkerTls(), own.LearnerTls())));
  EXPECT_EQ(WEXITSTATUS(nobody.Wait(absl::Seconds(30))), 1);
}

TEST(TransportSecurity, CommandLinesThatAreNotSafeAreRefusedByName) {
  const Credentials own;
  SmallRun run("PIPELINED", 1);
  const std::string outside = "--listen=0.0.0.0:0";
  const std::vector<std::pair<std::vector<std::string>, std::string>> learners = {
      {{outside}, "nothing is encrypted"},
      {{outside, own.TokenFlag()}, "would travel in plain text"},
      {Joined(own.LearnerTls(), {outside}), "TLS alone lets everybody in"},
      {{own.LearnerTls()[0]}, "--tls_certificate, --tls_key: expected both"},
      {{own.LearnerClientCa()}, "--tls_client_ca: expected --tls_certificate"},
      {{"--token_file=/nonexistent/token"}, "--token_file=/nonexistent/token: cannot be read"},
      {{own.LearnerTls()[0], absl::StrCat("--tls_key=", own.folder / "worker.key")}, "worker.key: is not the key of"},
  };
  for (const auto& [flags, message] : learners) {
    const auto learner = run.Learner(0, flags);
    EXPECT_EQ(WEXITSTATUS(learner->Wait(absl::Seconds(30))), 2) << message;
    EXPECT_THAT(learner->output(), HasSubstr(message));
  }
  const std::vector<std::pair<std::vector<std::string>, std::string>> workers = {
      {{"--learner=192.0.2.1:7070", own.TokenFlag()}, "192.0.2.1:7070 in plain text"},
      {Joined({"--learner=localhost:1"}, own.WorkerIdentity()), "expected --tls_ca with it"},
      {{"--learner=localhost:1", "--tls_server_name=x"}, "--tls_server_name: expected --tls_ca"},
      {{"--learner=localhost:1", absl::StrCat("--tls_ca=", own.folder / "worker.key")},
       "expected a certificate in PEM"},
  };
  for (const auto& [flags, message] : workers) {
    Process worker("actor_worker", flags);
    EXPECT_EQ(WEXITSTATUS(worker.Wait(absl::Seconds(30))), 2) << message;
    EXPECT_THAT(worker.output(), HasSubstr(message));
  }
}

TEST(Certificates, AreMadeOnceAndRenewedWhenNeeded) {
  const Credentials own;
  EXPECT_THAT(own.Make(), IsEmpty()) << "nothing to do";
  const std::string learner = ReadText(own.folder / "learner.pem"), worker = ReadText(own.folder / "worker.pem");
  EXPECT_THAT(own.Make("--name=learner.example --name=192.0.2.1"), HasSubstr("learner.pem"));
  EXPECT_NE(ReadText(own.folder / "learner.pem"), learner);
  EXPECT_EQ(ReadText(own.folder / "worker.pem"), worker);
  for (const char* key : {"learner.key", "worker.key"}) {
    EXPECT_EQ(static_cast<int>(std::filesystem::status(own.folder / key).permissions()), 0640) << key;
  }
  const std::string shorten = absl::StrCat(
      "cd ", own.folder / "", " && openssl req -new -key worker.key -subj /CN=x -out r 2>/dev/null && ",
      "openssl x509 -req -in r -CA ca.pem -CAkey ca.key -set_serial 7 -days 3 -out worker.pem 2>/dev/null");
  ASSERT_EQ(std::system(shorten.c_str()), 0);
  EXPECT_THAT(own.Make("--name=learner.example --name=192.0.2.1"), HasSubstr("worker.pem")) << "ends in three days";
  std::filesystem::remove(own.folder / "ca.key");
  EXPECT_THAT(own.Make("--name=learner.example --name=192.0.2.1"), HasSubstr("ca.pem")) << "nothing left to sign with";
  EXPECT_NE(std::system(TROUPE_SOURCE_DIR "/deploy/certificates.sh > /dev/null 2>&1"), 0);
}

}  // namespace
}  // namespace troupe::testing
