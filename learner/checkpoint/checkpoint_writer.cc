#include "learner/checkpoint/checkpoint_writer.h"

#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/files/actor_file.h"
#include "common/status_macros.h"

namespace troupe {
namespace {

absl::Status WriteActors(const Checkpoint& checkpoint, const std::string& path) {
  ASSIGN_OR_RETURN(const ActorFile actors, MakeActorFile(checkpoint));
  return WriteActorFile(path, actors);
}

}  // namespace

CheckpointWriter::CheckpointWriter(CheckpointStore store, std::string actors_folder,
                                   std::function<void(const CheckpointWrite&)> report)
    : store_(std::move(store)),
      actors_folder_(std::move(actors_folder)),
      report_(std::move(report)),
      thread_("checkpoints", [this] { Run(); }) {}

CheckpointWriter::~CheckpointWriter() {
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  thread_.Join();
}

void CheckpointWriter::Write(std::shared_ptr<const Checkpoint> checkpoint) {
  absl::MutexLock lock(&mutex_);
  regular_ = std::move(checkpoint);
}

void CheckpointWriter::WriteBest(std::shared_ptr<const Checkpoint> checkpoint) {
  absl::MutexLock lock(&mutex_);
  best_ = std::move(checkpoint);
}

void CheckpointWriter::Flush() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &CheckpointWriter::IsIdle));
}

void CheckpointWriter::Run() {
  while (true) {
    Pending regular, best;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &CheckpointWriter::HasWork));
      regular.swap(regular_);
      best.swap(best_);
      if (regular == nullptr && best == nullptr) return;
      writing_ = true;
    }
    if (regular != nullptr) Perform(*regular, /*best=*/false);
    if (best != nullptr) Perform(*best, /*best=*/true);
    absl::MutexLock lock(&mutex_);
    writing_ = false;
  }
}

void CheckpointWriter::Perform(const Checkpoint& checkpoint, bool best) {
  const absl::Time begin = absl::Now();
  absl::Status status = best ? store_.WriteBest(checkpoint) : store_.Write(checkpoint);
  if (status.ok())
    status = WriteActors(checkpoint, actors_folder_ + (best ? "/best.safetensors" : "/last.safetensors"));
  report_({checkpoint.counters.update, checkpoint.counters.env_steps, best, absl::ToDoubleSeconds(absl::Now() - begin), std::move(status)});
}

}  // namespace troupe
