// The arithmetic for some networks on some device. No LibTorch here.
#ifndef TROUPE_LEARNER_ARITHMETIC_SELECT_CREATE_ARITHMETIC_H_
#define TROUPE_LEARNER_ARITHMETIC_SELECT_CREATE_ARITHMETIC_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "learner/arithmetic/arithmetic.h"
#include "learner/arithmetic/gpu/step_graph.h"
#include "learner/ranks/collective.h"
#include "proto/experiment.pb.h"

namespace troupe {

struct ArithmeticOptions {
  ComputeSettings compute;     // complete: defaults written
  std::string device = "cpu";  // "cpu", "cuda" or "cuda:N", already chosen and available (gpu/device.h)
  // Told, in a line, what goes wrong without hurting the training.
  std::function<void(const std::string& line)> warn = [](const std::string&) {};
  // For tests of what a GPU does, where there is none, and of one engine where another would do.
  struct Overrides {
    bool gpu_on_cpu = false;    // the CPU takes a GPU's gradient steps
    StepGraphFactory graphs;    // instead of CUDA's
    int64_t rows_per_part = 0;  // input rows of a network at once on a GPU; 0: as usual
    bool autograd = false;      // on the CPU, the engine that covers everything
  } overrides;
};

// FAILED_PRECONDITION where compute.precision cannot be had. `ranks` outlives what is made.
absl::StatusOr<std::unique_ptr<Arithmetic>> CreateArithmetic(std::vector<NetworkPlan> plans,
                                                             const ArithmeticOptions& options, Collective* ranks);

// Whether this processor steps such a network out of blocks of rows; the others go through autograd.
bool RunsInBlocks(const DenseStackSpec& stack);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_SELECT_CREATE_ARITHMETIC_H_
