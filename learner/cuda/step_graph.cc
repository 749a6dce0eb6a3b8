// libtroupe_cuda.so: CUDA graphs for learner/arithmetic/gpu/step_graph.h, by LibTorch's own class for them. Opened by
// the learner after libtorch_cuda, whose symbols it leaves undefined.
#include "learner/arithmetic/gpu/step_graph.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>

#include <exception>

namespace troupe {
namespace {

// What `call` throws, in a line; the empty string for nothing.
template <typename Call>
std::string ErrorOf(Call&& call) {
  try {
    call();
    return "";
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an unknown exception";
  }
}

class CudaStepGraph final : public StepGraph {
 public:
  std::string Capture(const std::function<void()>& sequence) override {
    std::string error = ErrorOf([&] {
      graph_ = std::make_unique<at::cuda::CUDAGraph>();
      pool_ = at::cuda::graph_pool_handle();
      // Thread-local: what other threads do with the GPU does not spoil the capture.
      graph_->capture_begin(pool_, cudaStreamCaptureModeThreadLocal);
    });
    if (!error.empty()) return Abandon(error);
    error = ErrorOf(sequence);
    // Even then: the stream must leave its capture.
    const std::string end_error = ErrorOf([&] { graph_->capture_end(); });
    if (error.empty()) error = end_error;
    return error.empty() ? error : Abandon(error);
  }

  void Replay() override { graph_->replay(); }

 private:
  // After a capture that failed half-way the allocator may go on believing that it is under way, and LibTorch may still
  // know the graph by its address; so the one is told, and the other left where it is. It happens once at most.
  std::string Abandon(const std::string& error) {
    ErrorOf([&] { c10::cuda::CUDACachingAllocator::endAllocateToPool(c10::cuda::current_device(), pool_); });
    static_cast<void>(graph_.release());
    cudaGetLastError();
    return error;
  }

  std::unique_ptr<at::cuda::CUDAGraph> graph_;
  decltype(at::cuda::graph_pool_handle()) pool_ = {0, 0};
};

}  // namespace
}  // namespace troupe

extern "C" __attribute__((visibility("default"))) troupe::StepGraph* troupe_make_step_graph() {
  return new troupe::CudaStepGraph;
}

extern "C" __attribute__((visibility("default"))) void troupe_forbid_device_waits(bool forbid) {
  using c10::cuda::SyncDebugMode;
  c10::cuda::warning_state().set_sync_debug_mode(forbid ? SyncDebugMode::L_ERROR : SyncDebugMode::L_DISABLED);
}
