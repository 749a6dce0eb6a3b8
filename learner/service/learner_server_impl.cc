#include "learner/service/learner_server_impl.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
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

// Until a connection has said what it is: TLS and HTTP/2's preface. Who says nothing is closed.
constexpr int kHandshakeMs = 30000;

constexpr absl::Duration kRefusalsToldEvery = absl::Minutes(1);
constexpr char kListeningHelp[] = "1 while whoever connects to the learner is answered, 0 while it is deaf.";
constexpr char kReopenedHelp[] = "Times that the learner noticed that it was deaf and listened anew.";

int ThirdOfALeaseMs(const Experiment& experiment) {
  return std::max(300, static_cast<int>(experiment.collection().lease_timeout_seconds() * 1000 / 3));
}

void SetKeepalive(const Experiment& experiment, grpc::ServerBuilder* builder) {
  const int third_ms = ThirdOfALeaseMs(experiment);
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
    : experiment_(options.experiment),
      log_(options.log),
      metrics_(metrics),
      awake_(LongestLook(options.experiment)),
      session_(
          options, metrics, clock ? std::move(clock) : [this] { return awake_.Now(); }),
      service_(&session_, static_cast<int>(options.experiment.collection().num_shards())),
      handshakes_([this](const std::string& reason) { session_.metrics().CountRejected(reason); }) {}

absl::Status LearnerServerImpl::Listen(const LearnerServerOptions& options) {
  ASSIGN_OR_RETURN(listener_, ConnectionListener::Open(options.listen_address));
  if (options.local_port) {
    ASSIGN_OR_RETURN(local_listener_, ConnectionListener::Open("127.0.0.1:0"));
  }
  ASSIGN_OR_RETURN(guard_, CallGuard::Create(options.security, options.local_token, &session_.metrics()));
  service_.SetGuard(guard_.get());
  health_.SetGuard(guard_.get());
  RETURN_IF_ERROR(StartServer(options));
  WatchListeners();
  return absl::OkStatus();
}

absl::Status LearnerServerImpl::StartServer(const LearnerServerOptions& options) {
  grpc::ServerBuilder builder;
  builder.SetOption(std::make_unique<WithoutReflection>());
  const auto add = [&builder](std::shared_ptr<grpc::ServerCredentials> credentials) {
    using Kind = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
    return std::shared_ptr<ConnectionListener::Acceptor>(
        builder.experimental().AddExternalConnectionAcceptor(Kind::FROM_FD, std::move(credentials)));
  };
  const auto of_peers = add(MakeServerCredentials(options.security));
  const auto in_plain_text = add(grpc::InsecureServerCredentials());
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
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  SetKeepalive(options.experiment, &builder);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options.listen_address, ": gRPC does not start"));
  }
  const auto serve = [this, &in_plain_text](ConnectionListener* listener,
                                            const std::shared_ptr<ConnectionListener::Acceptor>& peers) {
    listener->Serve({.peers = peers,
                     .own = in_plain_text,
                     .refused = [this, listener](ConnectionListener::Refusal why) { OnRefusal(*listener, why); },
                     .patience = absl::Milliseconds(std::max(ThirdOfALeaseMs(experiment_), kPingAnswerMs))});
  };
  serve(listener_.get(), of_peers);
  if (local_listener_ != nullptr) serve(local_listener_.get(), in_plain_text);
  return absl::OkStatus();
}

void LearnerServerImpl::WatchListeners() {
  prometheus::Gauge& listening = metrics_->Gauge("troupe_listening", kListeningHelp);
  prometheus::Counter& reopened = metrics_->Counter("troupe_listener_reopened_total", kReopenedHelp);
  listening.Set(1);
  ListenerWatch::Options options;
  options.answers = [this, &listening](bool all) {
    listening.Set(all ? 1 : 0);
    health_.SetListening(all);
  };
  options.reopened = [&reopened] { reopened.Increment(); };
  options.log = [this](const std::string& line) { Say(line); };
  std::vector<ConnectionListener*> listeners = {listener_.get()};
  if (local_listener_ != nullptr) listeners.push_back(local_listener_.get());
  watch_ = std::make_unique<ListenerWatch>(std::move(listeners), std::move(options));
}

void LearnerServerImpl::OnRefusal(const ConnectionListener& listener, ConnectionListener::Refusal why) {
  const bool is_silent = why == ConnectionListener::Refusal::kSilent;
  session_.metrics().CountRejected(is_silent ? "silent" : "no_descriptors");
  if (is_silent) return;
  absl::MutexLock lock(&refusals_mutex_);
  const SteadyTime now = SteadyTime::Now();
  if (now - refusal_told_ < kRefusalsToldEvery) return;
  refusal_told_ = now;
  Say(absl::StrCat("a connection to ", listener.address(), " was not taken: too many files and connections are open",
                   " (ulimit -n); those that stand go on"));
}

void LearnerServerImpl::Say(const std::string& line) const {
  if (log_) log_(line);
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
  listener_->Stop();
  if (local_listener_ != nullptr) local_listener_->Stop();
  watch_ = nullptr;
  server_->Shutdown(CallDeadline(kCutAfterDrain));
  server_->Wait();
}

}  // namespace troupe
