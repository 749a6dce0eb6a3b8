// The environment `external`: a copy that another process steps (proto/environment_service.proto). What agents see, do
// and are rewarded for, when episodes end and what they report is all the server's; docs/python_environments.md says
// how to write one.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_EXTERNAL_ENVIRONMENT_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_EXTERNAL_ENVIRONMENT_H_

#include <memory>
#include <string>

#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/external/external_copies.h"

namespace troupe {

// Errors of Reset and Step: EnvironmentServer's; INTERNAL naming group and agent for masks, alive and endings that are
// none, and statistics that are not finite.
class ExternalEnvironment final : public Environment {
 public:
  ExternalEnvironment(std::shared_ptr<ExternalCopies> copies, int copy);

  const EnvironmentSpec& spec() const override { return spec_; }
  absl::Status Reset(uint64_t seed) override;
  absl::Status Step(const JointAction& action, StepOutcome& outcome) override;
  void PrepareReset(uint64_t seed) override;
  void PrepareStep(const JointAction& action) override;
  void Observe(JointObservation& observation) const override;
  void EpisodeStatistics(absl::Span<double> statistics) const override;
  std::string Render() const override;

 private:
  absl::Status CheckSeen() const;
  absl::Status CheckStatistics() const;

  const std::shared_ptr<ExternalCopies> copies_;
  const int copy_;
  const ExternalCopies::Place place_;
  EnvironmentSpec spec_;
  CopyCommand prepared_ = CopyCommand::kRest;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_EXTERNAL_ENVIRONMENT_H_
