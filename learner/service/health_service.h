// Tells orchestrators and `learner health` whether the learner serves; with the same guard as every call.
#ifndef TROUPE_LEARNER_SERVICE_HEALTH_SERVICE_H_
#define TROUPE_LEARNER_SERVICE_HEALTH_SERVICE_H_

#include <atomic>

#include "learner/service/call_guard.h"
#include "proto/health.grpc.pb.h"

namespace troupe {

// Thread-safe.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  // Before the server starts; `guard` outlives it.
  void SetGuard(const CallGuard* guard) { guard_ = guard; }
  // From now on NOT_SERVING.
  void StopServing() { serving_ = false; }

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;

 private:
  const CallGuard* guard_ = nullptr;
  std::atomic<bool> serving_ = true;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_HEALTH_SERVICE_H_
