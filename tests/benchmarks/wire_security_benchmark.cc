// StreamTrajectories over loopback in plain text, over TLS and over mutual TLS: chunks of a size, four under way,
// acknowledged one by one by a server that parses and forgets them. Client and server share the machine. Argument: bytes
// of a chunk. CPU is that of both ends, so on a machine with other work its ratio says more than the time's. What the
// ratio to the plain row says is what TLS costs at most: a run computes as well.
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "common/security/client_credentials.h"
#include "common/security/server_security.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "proto/training_service.grpc.pb.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

enum class Wire { kPlain, kTls, kMutualTls };

constexpr int kUnderWay = 4;
constexpr int kMaxMessageBytes = 64 << 20;

const TemporaryFolder& Certificates() {
  static const TemporaryFolder* const folder = [] {
    auto* const made = new TemporaryFolder;
    const std::string command =
        absl::StrCat(TROUPE_SOURCE_DIR "/deploy/certificates.sh ", made->path(), " > /dev/null");
    if (std::system(command.c_str()) != 0) std::abort();
    return made;
  }();
  return *folder;
}

class Acknowledger final : public wire::TrainingService::Service {
 public:
  grpc::Status StreamTrajectories(
      grpc::ServerContext*, grpc::ServerReaderWriter<wire::LearnerMessage, wire::WorkerMessage>* stream) override {
    wire::WorkerMessage message;
    wire::LearnerMessage answer;
    while (stream->Read(&message)) {
      answer.mutable_acknowledgement()->set_sequence(message.chunk().sequence());
      stream->Write(answer);
    }
    return grpc::Status::OK;
  }
};

void StreamChunks(benchmark::State& state, Wire wire) {
  ServerSecurity server_security;
  ClientSecurity client_security;
  if (wire != Wire::kPlain) {
    server_security.tls_certificate = Certificates() / "learner.pem";
    server_security.tls_key = Certificates() / "learner.key";
    client_security.tls_ca = Certificates() / "ca.pem";
  }
  if (wire == Wire::kMutualTls) {
    server_security.tls_client_ca = Certificates() / "ca.pem";
    client_security.tls_certificate = Certificates() / "worker.pem";
    client_security.tls_key = Certificates() / "worker.key";
  }
  Acknowledger service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", MakeServerCredentials(server_security), &port);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const std::string address = absl::StrCat("127.0.0.1:", port);
  const auto credentials = ClientCredentials::Load(client_security, address);
  if (!credentials.ok()) return state.SkipWithError(std::string(credentials.status().message()).c_str());
  const auto stub = wire::TrainingService::NewStub((*credentials)->OpenChannel(address, {}));

  grpc::ClientContext context;
  const auto stream = stub->StreamTrajectories(&context);
  wire::WorkerMessage message;
  message.mutable_chunk()->mutable_terminated()->set_data(std::string(state.range(0), '\7'));
  wire::LearnerMessage answer;
  bool alive = true;
  for (int i = 0; i < kUnderWay; ++i) alive = alive && stream->Write(message);
  for (auto _ : state) {
    alive = alive && stream->Read(&answer) && stream->Write(message);
    if (!alive) break;
  }
  if (!alive) state.SkipWithError("the stream broke");
  state.SetBytesProcessed(state.iterations() * state.range(0));
  stream->WritesDone();
  while (stream->Read(&answer)) {
  }
  stream->Finish();
}

void Plain(benchmark::State& state) { StreamChunks(state, Wire::kPlain); }
void Tls(benchmark::State& state) { StreamChunks(state, Wire::kTls); }
void MutualTls(benchmark::State& state) { StreamChunks(state, Wire::kMutualTls); }

#define TROUPE_SIZES ->Arg(256 << 10)->Arg(1 << 20)->MeasureProcessCPUTime()->UseRealTime()
BENCHMARK(Plain) TROUPE_SIZES;
BENCHMARK(Tls) TROUPE_SIZES;
BENCHMARK(MutualTls) TROUPE_SIZES;

}  // namespace
}  // namespace troupe
