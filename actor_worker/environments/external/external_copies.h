// Copies of an external environment that share servers: what is prepared for several of them goes to every server as
// one message, and the servers work at the same time.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_EXTERNAL_COPIES_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_EXTERNAL_COPIES_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/external/environment_server.h"
#include "actor_worker/environments/external/external_settings.h"

namespace troupe {

// Not thread-safe.
class ExternalCopies {
 public:
  // Takes servers from the pool or starts them. Errors: those of the servers; FAILED_PRECONDITION when two of them
  // offer different things.
  static absl::StatusOr<std::shared_ptr<ExternalCopies>> Create(const ExternalSettings& settings, int copies);
  // Servers that work go to the pool.
  ~ExternalCopies();
  ExternalCopies(const ExternalCopies&) = delete;
  ExternalCopies& operator=(const ExternalCopies&) = delete;

  const EnvironmentSpec& spec() const { return children_.front().server->spec(); }

  // Where a copy's numbers lie.
  struct Place {
    SharedArrays* arrays = nullptr;
    int slot = 0;  // the copy's index in them
  };
  Place Find(int copy);

  // Writes the command and what belongs to it. Not done before Finish of this or another copy.
  void PrepareReset(int copy, uint64_t seed);
  void PrepareStep(int copy, const JointAction& action);
  // Where what the copy was prepared for is not done yet: lets all servers do what is prepared, and waits for the
  // copy's own. Errors: those of the server, from then on always.
  absl::Status Finish(int copy);

 private:
  struct Child {
    std::unique_ptr<EnvironmentServer> server;
    int first_copy = 0;
    bool prepared = false;  // commands are written
    bool rung = false;      // and at work
    absl::Status status;    // of its life
  };

  ExternalCopies() = default;
  Child& ChildOf(int copy) { return children_[copy / copies_per_child_]; }
  // The arrays, once they may be written to.
  SharedArrays& Prepare(Child& child);
  void Await(Child& child);

  int copies_per_child_ = 1;
  std::vector<Child> children_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_EXTERNAL_COPIES_H_
