#include "learner/arithmetic/gpu/step_graph.h"

#include <dlfcn.h>

#include <filesystem>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

struct Library {
  absl::Status status = absl::FailedPreconditionError("no CUDA");
  StepGraph* (*make)() = nullptr;
  void (*forbid_waits)(bool) = nullptr;
};

Library& TheLibrary() {
  static auto* const library = new Library;
  return *library;
}

absl::Status Load(Library* library) {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path path = program.parent_path() / "libtroupe_cuda.so";
  if (error || !std::filesystem::exists(path, error))
    return absl::FailedPreconditionError("built without libtroupe_cuda.so");
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* const reason = dlerror();
    return absl::FailedPreconditionError(absl::StrCat("libtroupe_cuda.so: ", reason == nullptr ? "no reason" : reason));
  }
  library->make = reinterpret_cast<StepGraph* (*)()>(dlsym(handle, "troupe_make_step_graph"));
  library->forbid_waits = reinterpret_cast<void (*)(bool)>(dlsym(handle, "troupe_forbid_device_waits"));
  if (library->make == nullptr || library->forbid_waits == nullptr) {
    return absl::FailedPreconditionError("libtroupe_cuda.so is of another version");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status LoadStepGraphs() {
  Library& library = TheLibrary();
  if (library.make == nullptr) library.status = Load(&library);
  return library.status;
}

absl::StatusOr<StepGraphFactory> LoadedStepGraphs() {
  const Library& library = TheLibrary();
  if (!library.status.ok()) return library.status;
  return StepGraphFactory([make = library.make] { return std::unique_ptr<StepGraph>(make()); });
}

absl::Status ForbidDeviceWaits(bool forbid) {
  const Library& library = TheLibrary();
  if (library.status.ok()) library.forbid_waits(forbid);
  return library.status;
}

}  // namespace troupe
