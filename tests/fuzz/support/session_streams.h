// The worker's ends of a TrainingSession's streams, without gRPC: what TrajectoryReactor does with a message, and what
// the session says back, held to what it promises.
#ifndef TROUPE_TESTS_FUZZ_SUPPORT_SESSION_STREAMS_H_
#define TROUPE_TESTS_FUZZ_SUPPORT_SESSION_STREAMS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "common/wire/message_reader.h"
#include "learner/service/training_session.h"
#include "learner/service/worker_stream.h"

namespace troupe::fuzz {

// What is true of all streams of a session together.
struct SessionLedger {
  using Chunk = std::tuple<uint32_t, uint32_t, uint64_t>;  // shard, lease epoch, sequence
  std::set<Chunk> admitted;
  std::map<uint32_t, uint32_t> newest_epoch;  // by shard, of those granted
};

class FuzzedStream final : public WorkerStream, public ParkedStream, public std::enable_shared_from_this<FuzzedStream> {
 public:
  FuzzedStream(TrainingSession* session, SessionLedger* ledger) : session_(session), ledger_(ledger) {}

  // The message as the peer sent it; nothing while an earlier one waits or the stream has ended.
  void Receive(std::string_view bytes);
  // The peer half-closes, or is gone.
  void End(bool half_closes);
  // Does what gRPC does once a stream is closed.
  void FinishIfClosed();

  void Send(wire::LearnerMessage message) override;
  void Close(const absl::Status& status) override;
  void Resume() override;

  bool is_open() const { return !over_ && !closing_.has_value(); }
  // The stream's, once it has said hello.
  const std::string& worker_id() const { return worker_id_; }
  // What it was told and may use.
  const std::map<uint32_t, wire::LeaseGrant>& leases() const { return leases_; }
  const std::optional<wire::EvaluationTask>& task() const { return task_; }
  void ForgetTask() { task_.reset(); }

 private:
  void Handle();

  TrainingSession* const session_;
  SessionLedger* const ledger_;
  std::string worker_id_, bytes_;
  ReceivedMessage received_;
  bool parked_ = false, over_ = false;
  std::optional<absl::Status> closing_;
  int acknowledged_ = 0;  // by the message at hand
  std::map<uint32_t, wire::LeaseGrant> leases_;
  std::optional<wire::EvaluationTask> task_;
};

}  // namespace troupe::fuzz

#endif  // TROUPE_TESTS_FUZZ_SUPPORT_SESSION_STREAMS_H_
