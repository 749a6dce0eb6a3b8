#include "learner/arithmetic/gpu/device.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "learner/arithmetic/gpu/step_graph.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "learner/torch/torch_headers.h"

namespace troupe {
namespace {

// Loads libtorch_cuda from where libtorch_cpu lies, once. The empty string, or what is missing.
std::string LoadCuda() {
  // What cuBLAS needs to give the same bits twice; read when it is loaded.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&at::get_num_threads), &info) == 0) return "LibTorch's folder is unknown";
  const std::filesystem::path library = std::filesystem::path(info.dli_fname).parent_path() / "libtorch_cuda.so";
  std::error_code error;
  if (!std::filesystem::exists(library, error)) return absl::StrCat(library.string(), " does not exist");
  if (dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) == nullptr) return "no NVIDIA driver (libcuda.so.1)";
  if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) return dlerror();
  if (!at::hasCUDA()) return "the driver sees no GPU";
  LoadStepGraphs().IgnoreError();  // a GPU works without; algorithms say so
  return "";
}

// Of the machine's GPU number `index`, asked of the driver that LoadCuda has loaded.
std::string GpuName(int index) {
  char name[256] = "GPU";
  const auto device_name = reinterpret_cast<int (*)(char*, int, int)>(dlsym(RTLD_DEFAULT, "cuDeviceGetName"));
  if (device_name != nullptr) device_name(name, sizeof(name), index);
  return name;
}

}  // namespace

absl::StatusOr<ChosenDevice> ChooseDevice(const ComputeSettings& settings, int local_rank) {
  const int threads = settings.learner_threads() > 0 ? static_cast<int>(settings.learner_threads()) : 2;
  SetComputeThreads(threads);
  at::set_num_threads(1);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  at::globalContext().setDeterministicFillUninitializedMemory(false);
  const ChosenDevice cpu{"cpu", absl::StrCat("CPU, ", threads, threads == 1 ? " thread" : " threads")};
  if (settings.device() == CPU) return cpu;
  const std::string missing = LoadCuda();
  if (missing.empty()) {
    return ChosenDevice{local_rank == 0 ? "cuda" : absl::StrCat("cuda:", local_rank),
                        absl::StrCat("CUDA: ", GpuName(local_rank))};
  }
  if (settings.device() == CUDA) {
    return absl::FailedPreconditionError(absl::StrCat("compute.device is CUDA, but there is no usable GPU: ", missing));
  }
  return cpu;
}

}  // namespace troupe
