// The gradient steps of several networks on a device, as a fixed sequence of operations that is recorded once per size
// of minibatch and then replayed (step_graph.h), or run one by one where graphs cannot be had.
//
//   Load every network's rows ─► RunEpoch: one upload of all minibatches' indices and scalars ─► for each minibatch:
//   its part copied to where the sequence looks for it ─► [gather ─► forward ─► loss ─► backward] of every network ─►
//   [sums over the ranks] ─► [norm ─► Adam ─► totals] of every network
//
// A size's first kRunsBeforeCapture minibatches run operation by operation, which sets libraries up as graphs want it
// and takes part in the training like any other. The host waits for the device nowhere here, except where ranks add up.
#ifndef TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_STEP_H_
#define TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_STEP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "learner/arithmetic/gpu/device_network.h"
#include "learner/arithmetic/gpu/step_graph.h"
#include "learner/arithmetic/networks/update_totals.h"
#include "learner/ranks/collective.h"

namespace troupe {

// Not thread-safe. Graphs want all calls on one stream, not the default one.
class DeviceStep {
 public:
  static constexpr int kRunsBeforeCapture = 3;
  // Sizes that get a graph; further ones run operation by operation. Minibatches of one batch have two sizes at most.
  static constexpr size_t kMaxGraphs = 4;

  struct Options {
    bool bfloat16 = false;
    int64_t rows_per_part = 1 << 20;  // input rows of a network at once; bounds memory
    StepGraphFactory make_graph;      // empty: no graphs
    std::function<void(const std::string&)> warn = [](const std::string&) {};
  };

  // With several ranks there must be no graphs. The specs' pointers and `ranks` outlive this.
  DeviceStep(const std::vector<DeviceNetwork::Spec>& networks, at::Device device, Collective* ranks, Options options);

  // [S, rows, input] → [S, rows, output] of a network, by its place in the list; without gradient.
  at::Tensor Infer(size_t network, const at::Tensor& x);

  // Copies what the network trains on until the next call.
  void Load(size_t network, const DeviceRows& rows);

  // The totals, with sums of 0. Copies share their memory.
  const UpdateTotals& ClearTotals();

  // Steps all networks along every minibatch: numbers of joint steps, or where there is only one, all steps in order.
  // `denominators` [minibatches][networks] in the order of the list; learning rates and entropy coefficient of
  // `totals`.
  void RunEpoch(const std::vector<std::vector<int64_t>>& minibatches,
                const std::vector<std::vector<double>>& denominators, const UpdateTotals& totals);

 private:
  // Minibatches that differ in contents alone.
  struct Shape {
    int runs = 0;
    std::unique_ptr<StepGraph> graph;
  };

  // Makes room for the minibatches.
  void Reserve(const std::vector<std::vector<int64_t>>& minibatches);
  // [minibatches, index_capacity_ + scalars], on the device.
  at::Tensor Upload(const std::vector<std::vector<int64_t>>& minibatches,
                    const std::vector<std::vector<double>>& denominators, const UpdateTotals& totals) const;
  void Run(int64_t count, bool whole);
  void Sequence(int64_t count, bool whole);
  DeviceScalars ScalarsOf(size_t network) const;
  int64_t num_scalars() const;

  const at::Device device_;
  Collective& ranks_;
  Options options_;
  at::Tensor sums_;  // every network's gradient and figures
  std::vector<DeviceNetwork> networks_;
  std::vector<bool> is_policy_;
  UpdateTotals totals_;
  int64_t index_capacity_ = -1;
  at::Tensor current_;            // this minibatch's row of the upload
  at::Tensor indices_, scalars_;  // views of it: int64; float32 learning rates, entropy coefficient, denominators
  std::map<std::pair<int64_t, bool>, Shape> shapes_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_STEP_H_
