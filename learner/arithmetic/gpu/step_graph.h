// A sequence of device operations, recorded once and started again as a whole (a CUDA graph): one launch instead of
// hundreds. No LibTorch here: libtroupe_cuda, a library of its own that alone sees NVIDIA's headers, implements it.
#ifndef TROUPE_LEARNER_ARITHMETIC_GPU_STEP_GRAPH_H_
#define TROUPE_LEARNER_ARITHMETIC_GPU_STEP_GRAPH_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe {

// Not thread-safe: the thread that captured replays, on the stream that was current then (not the default one).
class StepGraph {
 public:
  virtual ~StepGraph() = default;

  // Records what `sequence` enqueues on the current stream; nothing is executed. `sequence` must have run some times
  // before, so that libraries are set up, and must not wait for the device. A replay reads and writes the memory that
  // the sequence did while it was recorded; its temporaries come from a pool that the graph keeps. Returns the empty
  // string, or what went wrong; then nothing was recorded, and the sequence can still be run as it is. Call once.
  virtual std::string Capture(const std::function<void()>& sequence) = 0;

  // Enqueues the recorded operations. After a Capture that went well.
  virtual void Replay() = 0;
};

using StepGraphFactory = std::function<std::unique_ptr<StepGraph>()>;

// Loads libtroupe_cuda.so from the program's folder, once; libtorch_cuda must have been loaded before.
// FAILED_PRECONDITION saying what is missing.
absl::Status LoadStepGraphs();

// What makes graphs, if LoadStepGraphs found it; otherwise its error.
absl::StatusOr<StepGraphFactory> LoadedStepGraphs();

// Whether from now on an operation that waits for the GPU throws: for tests. FAILED_PRECONDITION without
// libtroupe_cuda.
absl::Status ForbidDeviceWaits(bool forbid);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_GPU_STEP_GRAPH_H_
