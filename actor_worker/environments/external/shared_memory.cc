#include "actor_worker/environments/external/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

absl::Status Refused(absl::string_view doing) {
  return absl::ResourceExhaustedError(absl::StrCat("shared memory: ", doing, ": ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SharedMemory>> SharedMemory::Create() {
  const int file = memfd_create("troupe_copies", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return Refused("creating it");
  return std::unique_ptr<SharedMemory>(new SharedMemory(file));
}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) munmap(data_, bytes_);
  close(file_);
}

absl::Status SharedMemory::Allocate(int64_t bytes) {
  // All of it at once: later, a system without room would end this process by SIGBUS.
  if (const int error = posix_fallocate(file_, 0, bytes); error != 0) {
    errno = error;
    return Refused(absl::StrCat("allocating ", bytes, " bytes"));
  }
  if (fcntl(file_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return Refused("sealing it");
  void* const mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  if (mapped == MAP_FAILED) return Refused("mapping it");
  data_ = static_cast<char*>(mapped);
  bytes_ = bytes;
  return absl::OkStatus();
}

}  // namespace troupe
