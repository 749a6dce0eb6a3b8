// The networks of a run on the CPU, each by an engine of its own kind, all of a minibatch in one pass over all
// networks' parts: threads meet four times a minibatch, however many networks there are.
#ifndef TROUPE_LEARNER_ARITHMETIC_CPU_HOST_ARITHMETIC_H_
#define TROUPE_LEARNER_ARITHMETIC_CPU_HOST_ARITHMETIC_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "learner/arithmetic/arithmetic.h"
#include "learner/arithmetic/cpu/gradient_engine.h"
#include "learner/arithmetic/networks/trained_network.h"
#include "learner/ranks/collective.h"

namespace troupe {

class HostArithmetic final : public Arithmetic {
 public:
  using MakeEngine = std::function<std::unique_ptr<GradientEngine>(const TrainedNetwork& network)>;

  // `ranks` outlives this.
  HostArithmetic(std::vector<NetworkPlan> plans, const MakeEngine& make_engine, std::string description,
                 std::string bits, Collective* ranks);

  std::string description() const override { return description_; }
  std::string bits() const override { return bits_; }
  void BeginRows(std::shared_ptr<const Timeline> timeline) override { timeline_ = std::move(timeline); }
  RowMemory Rows(size_t network, int64_t states, int64_t steps) override;
  void SendRows(size_t) override {}
  void UseRows() override;
  void Infer(size_t network, std::vector<float>* outputs) override;
  const std::vector<float>& RememberedLast(size_t network) const override { return members_[network].remembered_last; }
  std::vector<float> Free(size_t network) const override { return members_[network].network.Free(); }
  float* fields(size_t network) override { return members_[network].fields.data(); }
  void LoadFields(size_t) override {}
  void RunEpoch(const Epoch& epoch) override;
  UpdateFigures TakeFigures() override;
  std::vector<HostTensor> Export(size_t network, const std::string& prefix) const override;
  void Blend(size_t from, size_t to, double rate) override;
  InputGradient Differentiate(size_t network, absl::Span<const float> inputs, int64_t rows) override;
  void Save(size_t network, std::vector<HostTensor>* state) const override;
  void Load(size_t network, absl::Span<const HostTensor> state) override;

 private:
  // Uninitialised memory that only grows.
  template <typename T>
  class Buffer {
   public:
    T* data() const { return data_.get(); }
    void Reserve(int64_t count) {
      if (count <= capacity_) return;
      data_.reset();
      data_ = std::make_unique_for_overwrite<T[]>(count);
      capacity_ = count;
    }

   private:
    std::unique_ptr<T[]> data_;
    int64_t capacity_ = 0;
  };
  struct Member {
    TrainedNetwork network;
    std::unique_ptr<GradientEngine> engine;
    int64_t gradient = 0, figures = 0;  // places in sums_
    Buffer<float> inputs, fields, remembered;
    std::vector<float> remembered_last;
    Buffer<uint8_t> masks;
    int64_t states = 0, steps = 0;
    std::vector<SetFigures> totals;
    std::vector<float> losses;
  };

  NetworkRows RowsOf(Member& member) const;
  void RefreshAll();
  // Calls body(lane, network, item) for every item of every network, the costliest networks' first.
  template <typename Count, typename Body>
  void ForEachItem(Count&& count, Body&& body);
  // From the networks' gradients to new parameters.
  void Step(const Epoch& epoch, size_t minibatch);

  const std::string description_, bits_;
  Collective& ranks_;
  std::vector<Member> members_;
  std::vector<size_t> order_;  // of the networks, by cost
  std::shared_ptr<const Timeline> timeline_;
  // Every network's gradient [P] and after all of them every network's figures [sets, num_figures].
  at::Tensor sums_;
  bool refreshed_ = false, first_minibatch_ = true;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_CPU_HOST_ARITHMETIC_H_
