// Tells orchestrators and `learner health` whether the learner is well; with the same guard as every call.
#ifndef TROUPE_LEARNER_SERVICE_HEALTH_SERVICE_H_
#define TROUPE_LEARNER_SERVICE_HEALTH_SERVICE_H_

#include <atomic>

#include "learner/service/call_guard.h"
#include "proto/health.grpc.pb.h"

namespace troupe {

// What a learner is about, from the first moment of its process to the last.
enum class LearnerPhase {
  kStarting,  // loads its checkpoint, waits for the other learners and for the first worker
  kTraining,
  kFinishing,  // the run has ended: the last evaluation
  kStopping,   // it drains and the process ends: NOT_SERVING
};

// SERVING is answered in every phase but the last, as long as whoever comes is heard; the phase goes with it as
// metadata "troupe-phase": "starting", "training", "finishing", "stopping", or "deaf". Thread-safe.
class HealthService final
    : public grpc::health::v1::Health::WithRawCallbackMethod_Check<grpc::health::v1::Health::Service> {
 public:
  // Before the server starts; `guard` outlives it.
  void SetGuard(const CallGuard* guard) { guard_ = guard; }
  void SetPhase(LearnerPhase phase) { phase_ = phase; }
  // Whether new connections are taken; those that stand can ask this meanwhile.
  void SetListening(bool listening) { listening_ = listening; }

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;

 private:
  const CallGuard* guard_ = nullptr;
  std::atomic<LearnerPhase> phase_ = LearnerPhase::kStarting;
  std::atomic<bool> listening_ = true;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_HEALTH_SERVICE_H_
