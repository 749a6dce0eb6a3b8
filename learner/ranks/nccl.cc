#include "learner/ranks/nccl.h"

#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/clock/steady_time.h"

namespace troupe {
namespace {

constexpr int kSuccess = 0, kInProgress = 7, kFloat32 = 7, kSum = 0;

template <typename Function>
void Find(void* library, const char* name, Function* function, std::string* missing) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  if (*function == nullptr) *missing = absl::StrCat("libnccl.so.2 has no ", name);
}

}  // namespace

absl::StatusOr<NcclLibrary> LoadNccl() {
  // Already in the process when libtorch_cuda is; this only gives it a handle.
  void* const library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) return absl::FailedPreconditionError(dlerror());
  NcclLibrary nccl;
  std::string missing;
  Find(library, "ncclGetUniqueId", &nccl.get_unique_id, &missing);
  Find(library, "ncclCommInitRank", &nccl.comm_init_rank, &missing);
  Find(library, "ncclAllReduce", &nccl.all_reduce, &missing);
  Find(library, "ncclCommGetAsyncError", &nccl.comm_get_async_error, &missing);
  Find(library, "ncclCommAbort", &nccl.comm_abort, &missing);
  Find(library, "ncclGetErrorString", &nccl.get_error_string, &missing);
  if (!missing.empty()) return absl::FailedPreconditionError(missing);
  return nccl;
}

std::string NewNcclId(const NcclLibrary& library) {
  NcclLibrary::Id id = {};
  library.get_unique_id(&id);
  return std::string(id.bytes, sizeof(id.bytes));
}

NcclGroup::NcclGroup(const NcclLibrary& library, const std::string& id, int rank, int size, at::Device device,
                     absl::Duration timeout)
    : library_(library), device_(device), timeout_(timeout) {
  const c10::DeviceGuard guard(device_);
  NcclLibrary::Id given = {};
  std::memcpy(given.bytes, id.data(), std::min(id.size(), sizeof(given.bytes)));
  Check(library_.comm_init_rank(&communicator_, size, given, rank));
}

NcclGroup::~NcclGroup() {
  // Not ncclCommDestroy, which waits for ranks that may be gone. Every sum has been waited for.
  if (communicator_ != nullptr) library_.comm_abort(communicator_);
}

void NcclGroup::Check(int result) const {
  if (result == kSuccess || result == kInProgress) return;
  throw std::runtime_error(absl::StrCat("NCCL: ", library_.get_error_string(result)));
}

void NcclGroup::Sum(at::Tensor* values) {
  const c10::DeviceGuard guard(device_);
  const c10::impl::VirtualGuardImpl implementation(device_.type());
  const c10::Stream stream = implementation.getStream(device_);
  Check(library_.all_reduce(values->const_data_ptr(), values->mutable_data_ptr(), values->numel(), kFloat32, kSum,
                            communicator_, stream.native_handle()));
  const SteadyTime deadline = SteadyTime::Now() + timeout_;
  while (!implementation.queryStream(stream)) {
    int result = kSuccess;
    Check(library_.comm_get_async_error(communicator_, &result));
    Check(result);
    if (SteadyTime::Now() > deadline) {
      // Frees the stream, which would otherwise wait for ever.
      library_.comm_abort(std::exchange(communicator_, nullptr));
      throw std::runtime_error(absl::StrCat("no answer within ", absl::FormatDuration(timeout_)));
    }
    std::this_thread::yield();
  }
}

}  // namespace troupe
