// Workers that say anything in any order: registrations, streams, hellos, chunks good and damaged, results, failures,
// silence, and a learner that trains, evaluates and ends meanwhile. No chunk is admitted twice, every chunk is
// acknowledged once or its stream ends with an error that is documented, and what is trained on is finite.
//
// Input: a byte that says how the run collects, then steps: a byte each that says what happens, and what belongs to it.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/metrics/metrics.h"
#include "common/wire/protocol_version.h"
#include "common/wire/spec_codec.h"
#include "learner/service/training_session.h"
#include "tests/fuzz/support/byte_source.h"
#include "tests/fuzz/support/session_streams.h"
#include "tests/fuzz/support/target.h"
#include "tests/support/chunk_maker.h"

namespace troupe::fuzz {
namespace {

constexpr ChunkShape kShape{.rollout_length = 2, .copies = 2};
constexpr char kRunId[] = "run-1";
constexpr int kMaxWorkers = 3, kStreams = 4, kMostSteps = 96;

const EnvironmentSpec& Spec() {
  static const auto& spec = *new EnvironmentSpec(testing::TwoGroupSpec());
  return spec;
}
const wire::EnvironmentSpec& EncodedSpec() {
  static const auto& encoded = *new wire::EnvironmentSpec([] {
    wire::EnvironmentSpec message;
    EncodeEnvironmentSpec(Spec(), &message);
    return message;
  }());
  return encoded;
}
// A good one; its identity is filled in.
const wire::WorkerMessage& GoodChunk() {
  static const auto& chunk = *new wire::WorkerMessage([] {
    wire::WorkerMessage message;
    *message.mutable_chunk() = testing::MakeChunk(Spec(), kShape, {}, /*seed=*/5);
    return message;
  }());
  return chunk;
}

std::shared_ptr<const PolicySnapshot> Weights(uint64_t version) {
  auto weights = std::make_shared<PolicySnapshot>();
  weights->policy_version = version;
  const float value = 1;
  weights->tensors.push_back(HostTensor::Float32("walkers/output.bias", {1}, &value));
  return weights;
}

LearnerServerOptions Options(CollectionMode mode, uint32_t num_shards) {
  LearnerServerOptions options;
  options.max_workers = kMaxWorkers;
  options.max_workers_per_peer = kMaxWorkers;
  options.log = [](const std::string& line) {
    Must(line.size() < 4096 && line.find('\n') == std::string::npos, "a line for people");
  };
  options.experiment.set_name("fuzz");
  options.experiment.set_total_env_steps(1000);
  CollectionSettings* const collection = options.experiment.mutable_collection();
  collection->set_mode(mode);
  collection->set_num_shards(num_shards);
  collection->set_copies_per_shard(kShape.copies);
  collection->set_rollout_length(kShape.rollout_length);
  collection->set_max_policy_lag(1);
  collection->set_lease_timeout_seconds(20);
  collection->set_reconnect_timeout_seconds(10);
  return options;
}

// What the first byte and everything after it make happen.
class Story {
 public:
  explicit Story(std::string_view input)
      : source_(input),
        first_(source_.Byte()),
        num_shards_(1 + (first_ >> 2) % 2),
        session_(Options(std::array{SYNCHRONOUS, PIPELINED, ASYNCHRONOUS}[first_ % 3], num_shards_), &metrics_,
                 [this] { return now_; }) {}

  void Tell() {
    session_.Open(kRunId, std::nullopt);
    if (first_ % 16 != 15) Begin();
    for (int step = 0; step < kMostSteps && !source_.empty(); ++step) {
      Step(source_.Byte());
      for (const auto& stream : streams_) {
        if (stream != nullptr) stream->FinishIfClosed();
      }
      Must(session_.workers().size() <= kMaxWorkers, "workers are bounded");
    }
    session_.Drain("the end", /*run_ended=*/false, absl::ZeroDuration());
    session_.CloseStreams();
    for (const auto& stream : streams_) {
      if (stream != nullptr) stream->End(/*half_closes=*/false);
    }
    Must(evaluations_ended_ == evaluations_begun_, "every evaluation ends once");
    Must(session_.num_connected() == 0, "a stream that ended is connected");
  }

 private:
  void Begin() {
    const absl::Status status = session_.Begin(Spec(), kShape, Weights(0), {});
    Must(status.ok() || begun_, "the run begins");
    begun_ = true;
  }

  void Step(uint8_t what) {
    switch (what % 16) {
      case 0:
        return Register();
      case 1:
        return OpenStream();
      case 2:
        return Hello();
      case 3:
      case 4:
        return Chunk(/*damaged=*/false);
      case 5:
        return Chunk(/*damaged=*/true);
      case 6:
        return Stream().Receive(source_.Piece());
      case 7:
        return Result();
      case 8:
        return Fail();
      case 9:
        return Stream().End(source_.Byte() % 2 == 0);
      case 10:
        return Leave();
      case 11:
        return Wait();
      case 12:
        return Train();
      case 13:
        return Evaluate();
      case 14:
        return Rare();
      default: {
        wire::WorkerMessage heartbeat;
        heartbeat.mutable_heartbeat();
        Stream().Receive(heartbeat.SerializeAsString());
      }
    }
  }

  FuzzedStream& Stream() {
    std::shared_ptr<FuzzedStream>& stream = streams_[source_.Byte() % kStreams];
    if (stream == nullptr) stream = std::make_shared<FuzzedStream>(&session_, &ledger_);
    return *stream;
  }
  // One that was given out, if there is one.
  std::string WorkerId() {
    const uint8_t which = source_.Byte();
    return worker_ids_.empty() ? "worker-0" : worker_ids_[which % worker_ids_.size()];
  }

  void Register() {
    wire::RegisterRequest request;
    request.set_protocol_version(kProtocolVersion);
    request.set_run_id(kRunId);
    request.set_host("host");
    request.set_max_shards(source_.Byte());
    *request.mutable_environment_spec() = EncodedSpec();
    wire::RegisterResponse response;
    const absl::Status status = session_.Register(request, "ipv4:10.0.0.1", /*local=*/false, &response);
    if (!status.ok()) return MustRefuse(status, status.code());
    Must(!response.worker_id().empty(), "a worker that is taken has an id");
    worker_ids_.push_back(response.worker_id());
  }

  void OpenStream() {
    std::shared_ptr<FuzzedStream>& stream = streams_[source_.Byte() % kStreams];
    if (stream != nullptr) stream->End(/*half_closes=*/false);
    stream = std::make_shared<FuzzedStream>(&session_, &ledger_);
    const absl::Status status = session_.StreamOpened(stream, "ipv4:10.0.0.1");
    if (!status.ok()) stream->Close(status);
  }

  void Hello() {
    FuzzedStream& stream = Stream();
    wire::WorkerMessage message;
    message.mutable_hello()->set_worker_id(WorkerId());
    stream.Receive(message.SerializeAsString());
  }

  // Of a lease that the stream has, or as near to one as the input says.
  void Chunk(bool damaged) {
    FuzzedStream& stream = Stream();
    wire::WorkerMessage message = GoodChunk();
    wire::Chunk& chunk = *message.mutable_chunk();
    const uint8_t which = source_.Byte(), wrong = source_.Byte();
    if (!stream.leases().empty()) {
      const auto lease = std::next(stream.leases().begin(), which % stream.leases().size());
      chunk.set_shard(lease->first);
      chunk.set_lease_epoch(lease->second.lease_epoch());
      const uint64_t update = lease->second.first_update() + sent_[{lease->first, lease->second.lease_epoch()}];
      chunk.set_sequence(sent_[{lease->first, lease->second.lease_epoch()}]++);
      chunk.set_policy_version(first_ % 3 == 2 ? version_ : first_ % 3 == 1 && update > 0 ? update - 1 : update);
    }
    if ((wrong & 1) != 0) chunk.set_shard(chunk.shard() + 1);
    if ((wrong & 2) != 0) chunk.set_lease_epoch(chunk.lease_epoch() - 1);
    if ((wrong & 4) != 0) chunk.set_sequence(chunk.sequence() - 1);
    if ((wrong & 8) != 0) chunk.set_sequence(chunk.sequence() + 1);
    if ((wrong & 16) != 0) chunk.set_policy_version(chunk.policy_version() + 1);
    std::string bytes = message.SerializeAsString();
    if (damaged) {
      const size_t at = source_.Short() % bytes.size();
      const std::string_view instead = source_.Take(1 + source_.Byte() % 8);
      bytes.replace(at, instead.size(), instead);
    }
    stream.Receive(bytes);
  }

  void Result() {
    FuzzedStream& stream = Stream();
    const uint8_t wrong = source_.Byte();
    wire::WorkerMessage message;
    wire::EvaluationResult* const result = message.mutable_evaluation_result();
    if (stream.task().has_value()) {
      result->set_task_id(stream.task()->task_id() + (wrong & 1));
      for (uint32_t i = 0; i < stream.task()->episodes(); ++i) {
        wire::EvaluationEpisode* const episode = result->add_episodes();
        episode->set_seed(stream.task()->first_seed() + i + ((wrong & 2) != 0 ? 1 : 0));
        episode->set_length(3);
        episode->add_group_returns((wrong & 4) != 0 ? NAN : 1.0f);
        episode->add_group_returns(2);
        episode->add_statistics(3);
        if ((wrong & 8) != 0) episode->add_statistics(3);
      }
      if ((wrong & 16) != 0) result->set_error("it\nfailed");
      stream.ForgetTask();
    }
    stream.Receive(message.SerializeAsString());
  }

  void Fail() {
    FuzzedStream& stream = Stream();
    wire::WorkerMessage message;
    wire::LeaseFailure* const failure = message.mutable_lease_failure();
    const uint8_t which = source_.Byte();
    failure->set_shard(which % 4);
    const auto lease = stream.leases().find(failure->shard());
    failure->set_lease_epoch(lease == stream.leases().end() ? which / 4 : lease->second.lease_epoch());
    failure->set_error(std::string(source_.Take(source_.Byte())));
    stream.Receive(message.SerializeAsString());
  }

  void Leave() {
    const std::string worker_id = WorkerId();
    if (source_.Byte() % 2 == 0) {
      Must(session_.Leave(worker_id).ok(), "who goes may go");
    } else if (const absl::Status status = session_.StillHere(worker_id); !status.ok()) {
      MustRefuse(status, absl::StatusCode::kNotFound);
    }
  }

  void Wait() {
    now_ += absl::Milliseconds(100) * (1 + source_.Byte());
    session_.Maintain();
  }

  // A batch, if there is one, and the next version.
  void Train() {
    const auto batch = session_.NextBatch(absl::ZeroDuration());
    if (!batch.ok()) {
      const bool closed = draining_ && batch.status().code() == absl::StatusCode::kCancelled;
      const auto code = begun_ ? absl::StatusCode::kDeadlineExceeded : absl::StatusCode::kFailedPrecondition;
      return closed ? void() : MustRefuse(batch.status(), code);
    }
    Must(batch->update == version_, "batches come in the order of updates");
    trained_ += 1;
    Must(ledger_.admitted.size() >= trained_ * num_shards_, "a batch of chunks that were not admitted");
    for (const GroupBatch& group : batch->batch->groups) {
      for (const auto* numbers : {&group.observations, &group.rewards, &group.continuous_actions}) {
        Must(std::ranges::all_of(*numbers, [](float number) { return std::isfinite(number); }), "a batch is finite");
      }
      for (const int32_t action : group.discrete_actions) Must(action >= 0 && action < 4, "an action");
    }
    version_ += 1;
    session_.Publish(Weights(version_));
    session_.ReleaseBatch(*batch);
    session_.Maintain();
  }

  void Evaluate() {
    const EvaluationRequest request{.weights = Weights(version_), .first_seed = 3, .episodes = source_.Byte() % 8u};
    // Counted first: it may end at once.
    evaluations_begun_ += 1;
    const absl::Status status = session_.RequestEvaluation(request, [this](const auto& outcome) {
      evaluations_ended_ += 1;
      if (!outcome.ok()) return MustRefuse(outcome.status(), outcome.status().code());
      for (const EpisodeSummary& episode : outcome->episodes) Must(episode.group_returns.size() == 2, "an episode");
    });
    if (status.ok()) return;
    evaluations_begun_ -= 1;
    MustRefuse(status, status.code());
  }

  void Rare() {
    switch (source_.Byte() % 8) {
      case 0:
        return session_.EndCollection();
      case 1:
        draining_ = true;
        return session_.Drain("over", /*run_ended=*/true, absl::ZeroDuration());
      case 2:
        return begun_ ? void() : Begin();
      case 3: {
        wire::GetStatusResponse status;
        session_.GetStatus(&status);
        Must(status.workers_size() <= kMaxWorkers, "a status");
        return;
      }
      case 4:
        return (void)session_.ingest_state();
      case 5:
        return (void)session_.TakeFinishedEpisodes();
      default:
        return session_.Maintain();
    }
  }

  ByteSource source_;
  const uint8_t first_;
  const uint32_t num_shards_;
  SteadyTime now_;
  Metrics metrics_;
  TrainingSession session_;
  SessionLedger ledger_;
  std::vector<std::string> worker_ids_;
  std::array<std::shared_ptr<FuzzedStream>, kStreams> streams_;
  std::map<std::pair<uint32_t, uint32_t>, uint64_t> sent_;  // chunks of a lease: (shard, epoch)
  bool begun_ = false, draining_ = false;
  uint64_t version_ = 0, trained_ = 0;
  int evaluations_begun_ = 0, evaluations_ended_ = 0;
};

void RunStream(std::string_view input) { Story(input).Tell(); }

// Steps as Step reads them.
std::string Joins(int worker, int stream) {
  return {0, 4, 1, static_cast<char>(stream), 2, static_cast<char>(stream), static_cast<char>(worker)};
}
std::string SendsChunk(int stream, int which) { return {3, static_cast<char>(stream), static_cast<char>(which), 0}; }

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const char mode : {0, 1, 2, 6}) {
    const std::string waits = {11, 100};
    std::string story = std::string(1, mode) + Joins(0, 0) + waits + Joins(1, 1) + waits;
    for (int round = 0; round < 3; ++round) {
      story += SendsChunk(0, 0) + SendsChunk(1, 0) + SendsChunk(0, 1) + std::string{12, 13, 4};
      story += std::string{7, 0, 0, 7, 1, 0, 15, 0};
    }
    // A failure, a stream that breaks and comes back, one that is left, silence, the end.
    story +=
        std::string{8, 0, 0, 2, 'n', 'o', 9, 1, 1, 1, 1, 2, 1, 1, 11, (char)0xff, 3, 1, 0, 0, 5, 1, 0, 0, 40, 0, 1, 9};
    story += std::string{6, 2, 4, 0, 0x22, 0, 0x22, 0, 9, 0, 0, 14, 0, 14, 1};
    seeds.push_back(story);
  }
  seeds.push_back(std::string(1, 15) + Joins(0, 0) + std::string{14, 2} + SendsChunk(0, 0));
  return seeds;
}

const Register kRegister({.name = "stream",
                          .run = RunStream,
                          .seeds = Seeds,
                          .most_bytes = 4 << 20,
                          .most_bytes_per_byte = 4096,
                          .longest = 1024,
                          .mutations = 1500});

}  // namespace
}  // namespace troupe::fuzz
