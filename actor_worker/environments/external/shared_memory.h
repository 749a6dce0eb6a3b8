// Memory that this process shares with a child, which gets it as an open file.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SHARED_MEMORY_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SHARED_MEMORY_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe {

// Not thread-safe. A memfd (memfd_create(2)) of one size for good: nobody can cut off what is mapped here.
class SharedMemory {
 public:
  // Of no size yet. Errors: RESOURCE_EXHAUSTED when the system refuses.
  static absl::StatusOr<std::unique_ptr<SharedMemory>> Create();
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  int file() const { return file_; }
  // Once: gives it `bytes` of zeros, maps and seals it. Errors: as Create.
  absl::Status Allocate(int64_t bytes);
  char* data() const { return data_; }  // null before Allocate

 private:
  explicit SharedMemory(int file) : file_(file) {}

  const int file_;
  int64_t bytes_ = 0;
  char* data_ = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SHARED_MEMORY_H_
