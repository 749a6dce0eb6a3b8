// One SubscribeWeights call: asks the publisher for what comes next, one message on its way at a time, as bytes
// serialised once for all workers. Opponents that a version needs and that were not sent yet go before it.
#ifndef TROUPE_LEARNER_SERVICE_WEIGHTS_REACTOR_H_
#define TROUPE_LEARNER_SERVICE_WEIGHTS_REACTOR_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "learner/service/training_session.h"
#include "learner/service/weights_publisher.h"
#include "learner/service/write_watch.h"

namespace troupe {

// Keeps itself alive until OnDone. `session` outlives it.
class WeightsReactor final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                             public WeightsSubscriber,
                             public WritingStream,
                             public std::enable_shared_from_this<WeightsReactor> {
 public:
  // `request`: a serialised wire::SubscribeWeightsRequest.
  static WeightsReactor* Start(grpc::CallbackServerContext* context, const grpc::ByteBuffer& request,
                               TrainingSession* session);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void Wake() override;
  void Close(const absl::Status& status) override;
  std::optional<uint64_t> version_under_way() const override;
  std::optional<Write> write_under_way() const override;
  void Cut() override;

 private:
  WeightsReactor(grpc::CallbackServerContext* context, const WeightsPublisher* publisher)
      : publisher_(publisher), context_(context) {}

  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Lets the next version wait, if there is one, behind its opponents.
  void Ask() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CloseLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const WeightsPublisher* const publisher_;
  std::shared_ptr<WeightsReactor> self_;

  mutable absl::Mutex mutex_;
  grpc::CallbackServerContext* context_ ABSL_GUARDED_BY(mutex_);             // null once the call is over
  std::shared_ptr<const PublishedWeights> writing_ ABSL_GUARDED_BY(mutex_);  // null: nothing on its way
  std::deque<std::shared_ptr<const PublishedWeights>> waiting_
      ABSL_GUARDED_BY(mutex_);  // opponents, then who needs them
  std::vector<std::shared_ptr<const PublishedWeights>> opponents_ ABSL_GUARDED_BY(mutex_);  // sent, of the last version
  uint64_t writes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<uint64_t> sent_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> closing_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_WEIGHTS_REACTOR_H_
