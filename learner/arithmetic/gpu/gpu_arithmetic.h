// The networks of a run on a GPU: their gradient steps as a fixed sequence of operations that is recorded once per size
// of minibatch and then replayed (step_graph.h), or run one by one where graphs cannot be had.
//
//   RunEpoch: one upload of all minibatches' indices and scalars ─► for each minibatch: its part copied to where the
//   sequence looks for it ─► [gather ─► forward ─► loss ─► backward] of every network ─► [sums over the ranks] ─►
//   [norm ─► Adam ─► totals] of every network
//
// A size's first kRunsBeforeCapture minibatches run operation by operation, which sets libraries up as graphs want it
// and takes part in the training like any other. The host waits for the device in Infer and TakeFigures alone, and
// where ranks add up.
#ifndef TROUPE_LEARNER_ARITHMETIC_GPU_GPU_ARITHMETIC_H_
#define TROUPE_LEARNER_ARITHMETIC_GPU_GPU_ARITHMETIC_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "learner/arithmetic/arithmetic.h"
#include "learner/arithmetic/gpu/device_stream.h"
#include "learner/arithmetic/gpu/gpu_network.h"
#include "learner/arithmetic/gpu/step_graph.h"
#include "learner/arithmetic/gpu/upload_buffers.h"
#include "learner/ranks/collective.h"

namespace troupe {

// Not thread-safe. All work goes to a stream of its own, as graphs want it.
class GpuArithmetic final : public Arithmetic {
 public:
  static constexpr int kRunsBeforeCapture = 3;
  // Sizes that get a graph; further ones run operation by operation. Minibatches of one batch have two sizes at most.
  static constexpr size_t kMaxGraphs = 4;

  struct Options {
    bool bfloat16 = false;
    bool tf32 = false;
    int64_t rows_per_part = 1 << 20;  // input rows of a network at once; bounds memory
    StepGraphFactory make_graph;      // empty: no graphs
    std::string description;
    std::function<void(const std::string&)> warn = [](const std::string&) {};
  };

  // With several ranks there must be no graphs. `device` may be the CPU, for tests. `ranks` outlives this.
  GpuArithmetic(std::vector<NetworkPlan> plans, at::Device device, Collective* ranks, Options options);

  std::string description() const override { return options_.description; }
  std::string bits() const override;
  void BeginRows(std::shared_ptr<const Timeline> timeline) override;
  RowMemory Rows(size_t network, int64_t states, int64_t steps) override;
  void SendRows(size_t network) override;
  void UseRows() override;
  void Infer(size_t network, std::vector<float>* outputs) override;
  const std::vector<float>& RememberedLast(size_t) const override { return nothing_; }
  std::vector<float> Free(size_t network) const override;
  float* fields(size_t network) override { return members_[network].fields.data_ptr<float>(); }
  void LoadFields(size_t network) override;
  void RunEpoch(const Epoch& epoch) override;
  UpdateFigures TakeFigures() override;
  bool runs_ahead() const override { return true; }
  bool IsBusy() override;
  std::vector<HostTensor> Export(size_t network, const std::string& prefix) const override;
  void Blend(size_t, size_t, double) override;
  InputGradient Differentiate(size_t, absl::Span<const float>, int64_t) override;
  void Save(size_t network, std::vector<HostTensor>* state) const override;
  void Load(size_t network, absl::Span<const HostTensor> state) override;

 private:
  const std::vector<float> nothing_;  // no network that runs here is recurrent
  // A batch's inputs and masks, on their way.
  struct Sent {
    at::Tensor host_inputs, host_masks;
    at::Tensor inputs;  // [S, states, R · input]
    at::Tensor masks;   // [S, steps, R · output]
    int64_t states = 0, steps = 0;
  };
  struct Member {
    std::unique_ptr<TrainedNetwork> network;
    std::unique_ptr<GpuNetwork> gpu;
    Sent sent, used;
    at::Tensor fields;  // on the host
  };
  // Minibatches that differ in contents alone.
  struct Shape {
    int runs = 0;
    std::unique_ptr<StepGraph> graph;
  };

  // Sets what LibTorch keeps one setting of, before products.
  void SetProducts() const;
  // Makes room for the minibatches.
  void Reserve(const std::vector<std::vector<int64_t>>& minibatches);
  // [minibatches, index_capacity_ + scalars], on the device.
  at::Tensor Upload(const Epoch& epoch) const;
  void Run(int64_t count, bool whole);
  void Sequence(int64_t count, bool whole);
  GpuScalars ScalarsOf(size_t network) const;

  const at::Device device_;
  Collective& ranks_;
  Options options_;
  DeviceStream stream_;
  UploadBuffers uploads_;
  DeviceMark finished_;
  std::vector<Member> members_;
  std::vector<int64_t> scalars_at_;  // where each network's scalars begin, and where the last one's end
  at::Tensor sums_;                  // every network's gradient and figures
  bool first_minibatch_ = true;
  int64_t index_capacity_ = -1;
  at::Tensor current_;            // this minibatch's row of the upload
  at::Tensor indices_, scalars_;  // views of it: int64; float32
  std::map<std::pair<int64_t, bool>, Shape> shapes_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_GPU_GPU_ARITHMETIC_H_
