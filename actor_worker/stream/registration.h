// The two calls with which a worker introduces itself.
#ifndef TROUPE_ACTOR_WORKER_STREAM_REGISTRATION_H_
#define TROUPE_ACTOR_WORKER_STREAM_REGISTRATION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/security/client_credentials.h"
#include "common/specs/environment_spec.h"
#include "grpcpp/channel.h"
#include "grpcpp/support/channel_arguments.h"
#include "proto/training_service.grpc.pb.h"

namespace troupe {

// What a channel carries: calls that are answered at once, or streams, on which a chunk may be on its way for minutes.
enum class ChannelUse { kCalls, kStreams };

// Of every channel to a learner: it takes messages up to `max_message_bytes`, tries to connect anew at least every
// second, notices within 40 s a peer that vanished without a word, and shares nothing with other channels.
grpc::ChannelArguments WorkerChannelArguments(size_t max_message_bytes, ChannelUse use);

// A channel to the learner, not yet connected. Errors of the address show as UNAVAILABLE calls.
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& learner_address, const ClientCredentials& credentials,
                                           size_t max_message_bytes, ChannelUse use);

// What a worker says of itself.
struct WorkerIdentity {
  std::string host;
  std::string build;
  int max_shards = 0;
};

// The host's name and how this binary was built.
WorkerIdentity DescribeThisWorker(int max_shards);

// What came of it: one of the two is empty.
struct Registration {
  std::string worker_id;
  std::string serve_at;  // where to register instead
};

// Each blocks up to `timeout`. Errors are the learner's, as listed in proto/training_service.proto, and
// DEADLINE_EXCEEDED. `redirects`: how often the worker was sent on; nothing: it goes nowhere else.
absl::StatusOr<wire::DescribeRunResponse> DescribeRun(wire::TrainingService::StubInterface& stub,
                                                      absl::Duration timeout);
absl::StatusOr<Registration> RegisterWorker(wire::TrainingService::StubInterface& stub, const WorkerIdentity& identity,
                                            const std::string& run_id, const EnvironmentSpec& environment,
                                            std::optional<uint32_t> redirects, absl::Duration timeout);

// Says that the worker does not come back. UNIMPLEMENTED by learners that are older than the call: its leases are free
// once lease_timeout has passed.
absl::Status LeaveLearner(wire::TrainingService::StubInterface& stub, const std::string& worker_id,
                          absl::Duration timeout);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_STREAM_REGISTRATION_H_
