#include "actor_worker/stream/registration.h"

#include <unistd.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "actor_worker/stream/rpc_status.h"
#include "common/threads/timed_wait.h"
#include "common/wire/protocol_version.h"
#include "common/wire/spec_codec.h"

namespace troupe {
namespace {

// Makes a call of the stub's callback interface and waits for its end up to `timeout`. gRPC's own deadlines would not
// do: its timers are timed waits of Abseil's, which go by the wall clock.
template <typename Start>
grpc::Status CallWithin(absl::Duration timeout, const Start& start) {
  grpc::ClientContext context;
  absl::Mutex mutex;
  std::optional<grpc::Status> ended;  // under `mutex`
  start(&context, [&](grpc::Status status) {
    absl::MutexLock lock(&mutex);
    ended = std::move(status);
  });
  const auto is_over = [&ended] { return ended.has_value(); };
  {
    absl::MutexLock lock(&mutex);
    if (AwaitFor(mutex, absl::Condition(&is_over), timeout)) return *ended;
  }
  context.TryCancel();
  absl::MutexLock lock(&mutex);
  mutex.Await(absl::Condition(&is_over));
  if (ended->error_code() != grpc::StatusCode::CANCELLED) return *ended;
  return {grpc::StatusCode::DEADLINE_EXCEEDED, absl::StrCat("no answer within ", absl::FormatDuration(timeout))};
}

}  // namespace

grpc::ChannelArguments WorkerChannelArguments(size_t max_message_bytes, ChannelUse use) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(max_message_bytes));
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10000);  // how long one attempt may take
  // A new channel is to try at once, whatever became of one before it.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // With the worker's own pause between attempts at most this much over a second after the learner listens.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  if (use == ChannelUse::kCalls) {
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  } else {
    // A ping would wait behind the chunks in the socket, which on a slow link is longer than any time for its answer.
    // So there is none for a day, and it is TCP that gives up when nothing of what was sent is acknowledged for so long
    // (gRPC makes this time its TCP_USER_TIMEOUT where pings are on); heartbeats see to it that something is sent.
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 24 * 3600 * 1000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 30000);
  }
  return arguments;
}

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& learner_address, const ClientCredentials& credentials,
                                           size_t max_message_bytes, ChannelUse use) {
  return credentials.OpenChannel(learner_address, WorkerChannelArguments(max_message_bytes, use));
}

WorkerIdentity DescribeThisWorker(int max_shards) {
  char host[256] = "";
  if (gethostname(host, sizeof(host) - 1) != 0) host[0] = '\0';
  return {.host = host, .build = absl::StrCat("gcc-compatible ", __VERSION__), .max_shards = max_shards};
}

absl::StatusOr<wire::DescribeRunResponse> DescribeRun(wire::TrainingService::StubInterface& stub,
                                                      absl::Duration timeout) {
  wire::DescribeRunRequest request;
  request.set_protocol_version(kProtocolVersion);
  wire::DescribeRunResponse response;
  const grpc::Status status = CallWithin(timeout, [&](grpc::ClientContext* context, auto ended) {
    stub.async()->DescribeRun(context, &request, &response, std::move(ended));
  });
  if (!status.ok()) return FromRpcStatus(status);
  return response;
}

absl::StatusOr<Registration> RegisterWorker(wire::TrainingService::StubInterface& stub, const WorkerIdentity& identity,
                                            const std::string& run_id, const EnvironmentSpec& environment,
                                            std::optional<uint32_t> redirects, absl::Duration timeout) {
  wire::RegisterRequest request;
  request.set_protocol_version(kProtocolVersion);
  request.set_run_id(run_id);
  request.set_build(identity.build);
  request.set_host(identity.host);
  request.set_max_shards(identity.max_shards);
  if (redirects.has_value()) request.set_redirects(*redirects);
  EncodeEnvironmentSpec(environment, request.mutable_environment_spec());
  wire::RegisterResponse response;
  const grpc::Status status = CallWithin(timeout, [&](grpc::ClientContext* context, auto ended) {
    stub.async()->Register(context, &request, &response, std::move(ended));
  });
  if (!status.ok()) return FromRpcStatus(status);
  return Registration{response.worker_id(), response.serve_at()};
}

absl::Status LeaveLearner(wire::TrainingService::StubInterface& stub, const std::string& worker_id,
                          absl::Duration timeout) {
  wire::LeaveRequest request;
  request.set_worker_id(worker_id);
  wire::LeaveResponse response;
  return FromRpcStatus(CallWithin(timeout, [&](grpc::ClientContext* context, auto ended) {
    stub.async()->Leave(context, &request, &response, std::move(ended));
  }));
}

}  // namespace troupe
