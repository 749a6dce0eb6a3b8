#include "learner/service/learner_server_impl.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"
#include "common/clock/call_deadline.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/impl/server_builder_option.h"
#include "grpcpp/server_builder.h"
#include "learner/service/reaction.h"

namespace troupe {
namespace {

// A worker needs two streams and now and then a unary call; the rest is for people's tools.
constexpr int kMaxStreamsPerConnection = 16;
constexpr absl::Duration kCutAfterDrain = absl::Seconds(1);
// Connections, registrations and weights under way.
constexpr size_t kBaseQuotaBytes = size_t{64} << 20;

// Connections that nobody is behind any more are closed. How long a silent worker keeps its leases is another matter
// (WorkerWatch): on a slow link an answer to a ping waits in the worker's socket behind a chunk.
constexpr int kPingAnswerMs = 60000;

void SetKeepalive(const Experiment& experiment, grpc::ServerBuilder* builder) {
  const double lease_timeout_seconds = experiment.collection().lease_timeout_seconds();
  const int third_ms = std::max(300, static_cast<int>(lease_timeout_seconds * 1000 / 3));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, third_ms);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, std::max(third_ms, kPingAnswerMs));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Workers ping too, as often.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 100);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
}

// Between two looks of the maintenance thread: a pause of this process's own takes this much of a lease at most.
absl::Duration LongestLook(const Experiment& experiment) {
  return std::min(absl::Seconds(1), absl::Seconds(experiment.collection().lease_timeout_seconds()) / 4);
}

// Whether somebody listens at unix:PATH already: gRPC would take the socket away from under them.
bool IsTaken(const std::string& listen_address) {
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = ""};
  absl::string_view path = listen_address;
  if (!absl::ConsumePrefix(&path, "unix:") || path.size() >= sizeof(address.sun_path)) return false;
  path.copy(address.sun_path, path.size());
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return false;
  // EAGAIN: its queue is full.
  const bool taken =
      connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 || errno == EAGAIN;
  close(probe);
  return taken;
}

// gRPC's reflection service, which its library adds to every server, asks nobody for credentials and unpacks whatever
// comes.
class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    const std::string reflection = grpc::reflection::ProtoServerReflectionPlugin().name();
    std::erase_if(*plugins, [&reflection](const auto& plugin) { return plugin->name() == reflection; });
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<LearnerServer>> LearnerServer::Start(LearnerServerOptions options, Metrics* metrics) {
  return LearnerServerImpl::Start(std::move(options), metrics, nullptr);
}

absl::StatusOr<std::unique_ptr<LearnerServerImpl>> LearnerServerImpl::Start(LearnerServerOptions options,
                                                                            Metrics* metrics, Clock clock) {
  std::unique_ptr<LearnerServerImpl> server(new LearnerServerImpl(options, metrics, std::move(clock)));
  RETURN_IF_ERROR(server->Listen(options));
  server->maintenance_ = NamedThread("maintenance", [server = server.get()] {
    while (server->session_.WaitForMaintenance()) {
      server->awake_.Watch();
      // What a round could not do for want of memory the next one does.
      (void)WithoutThrowing([server] {
        server->session_.Maintain();
        return absl::OkStatus();
      });
    }
  });
  return server;
}

LearnerServerImpl::LearnerServerImpl(const LearnerServerOptions& options, Metrics* metrics, Clock clock)
    : listen_address_(options.listen_address),
      experiment_(options.experiment),
      awake_(LongestLook(options.experiment)),
      session_(
          options, metrics, clock ? std::move(clock) : [this] { return awake_.Now(); }),
      service_(&session_, static_cast<int>(options.experiment.collection().num_shards())),
      handshakes_([this](const std::string& reason) { session_.metrics().CountRejected(reason); }) {}

absl::Status LearnerServerImpl::Listen(const LearnerServerOptions& options) {
  if (IsTaken(options.listen_address)) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options.listen_address, ": somebody does already"));
  }
  ASSIGN_OR_RETURN(guard_, CallGuard::Create(options.security, options.local_token, &session_.metrics()));
  service_.SetGuard(guard_.get());
  health_.SetGuard(guard_.get());
  grpc::ServerBuilder builder;
  builder.SetOption(std::make_unique<WithoutReflection>());
  builder.AddListeningPort(options.listen_address, MakeServerCredentials(options.security), &port_);
  if (options.local_port) {
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &local_port_);
  }
  builder.RegisterService(&service_);
  builder.RegisterService(&health_);
  quota_.Resize(QuotaBytes(experiment_.collection(), 0));
  builder.SetResourceQuota(quota_);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  // gRPC bounds a compressed message by its size on the wire, not by what it grows to.
  for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  // Two learners on one port would share its workers between them.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  SetKeepalive(options.experiment, &builder);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port_ == 0 || (options.local_port && local_port_ == 0)) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options.listen_address));
  }
  return absl::OkStatus();
}

size_t LearnerServerImpl::QuotaBytes(const CollectionSettings& collection, size_t max_chunk_bytes) {
  // Every shard's window full, and each of those chunks sent once more by a worker that came back; gRPC holds a message
  // twice while it joins its pieces.
  const size_t window = std::max<uint32_t>(1, collection.unacknowledged_window());
  return kBaseQuotaBytes + 4 * collection.num_shards() * window * max_chunk_bytes;
}

LearnerServerImpl::~LearnerServerImpl() {
  if (server_ != nullptr) {
    Drain("the learner stops", /*run_ended=*/false, absl::ZeroDuration());
    ShutDown();
  }
  session_.StopMaintenance();
  maintenance_.Join();
}

absl::StatusOr<EnvironmentSpec> LearnerServerImpl::WaitForEnvironment(absl::Duration timeout) {
  return session_.WaitForEnvironment(timeout);
}

absl::Status LearnerServerImpl::Begin(const EnvironmentSpec& environment, const std::vector<PolicySpec>& policies,
                                      std::shared_ptr<const PolicySnapshot> weights, const IngestState& ingest) {
  const ChunkShape shape = ChunkShapeOf(experiment_, policies);
  quota_.Resize(QuotaBytes(experiment_.collection(), LimitsOfChunks(environment, shape).chunk_bytes));
  health_.SetPhase(LearnerPhase::kTraining);
  return session_.Begin(environment, shape, std::move(weights), ingest);
}

void LearnerServerImpl::Drain(const std::string& reason, bool run_ended, absl::Duration grace) {
  absl::MutexLock lock(&drain_mutex_);
  if (std::exchange(drained_, true)) return;
  health_.SetPhase(run_ended ? LearnerPhase::kFinishing : LearnerPhase::kStopping);
  session_.Drain(reason, run_ended, grace);
  session_.CloseStreams();
  if (!run_ended) ShutDown();
}

void LearnerServerImpl::ShutDown() {
  server_->Shutdown(CallDeadline(kCutAfterDrain));
  server_->Wait();
}

}  // namespace troupe
