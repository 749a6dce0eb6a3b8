// A graph for tests where there is no GPU, as strict as a real one: Capture records each of LibTorch's operators with
// its arguments as they are, numbers and memory alike, and takes back what they did; Replay runs the same operators
// again on the same memory, whatever the code that made them would do by now. Temporaries hold NaN until their operator
// has run.
#ifndef TROUPE_TESTS_ALGORITHMS_TRACED_GRAPH_H_
#define TROUPE_TESTS_ALGORITHMS_TRACED_GRAPH_H_

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "learner/arithmetic/gpu/step_graph.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

class TracedGraph final : public StepGraph {
 public:
  struct Counts {
    int captured = 0, replayed = 0;
  };

  explicit TracedGraph(Counts* counts) : counts_(*counts) {}

  static StepGraphFactory Factory(Counts* counts) {
    return [counts] { return std::make_unique<TracedGraph>(counts); };
  }

  std::string Capture(const std::function<void()>& sequence) override {
    ++counts_.captured;
    {
      const c10::impl::IncludeDispatchKeyGuard include(c10::DispatchKey::TESTING_ONLY_GenericMode);
      recording_ = this;
      sequence();
      recording_ = nullptr;
    }
    const at::NoGradGuard no_gradient;
    for (auto saved = overwritten_.rbegin(); saved != overwritten_.rend(); ++saved) saved->first.copy_(saved->second);
    overwritten_.clear();
    return "";
  }

  void Replay() override {
    ++counts_.replayed;
    const at::NoGradGuard no_gradient;
    for (const Operation& operation : operations_) {
      for (const at::Tensor& result : operation.fresh) {
        if (result.is_floating_point()) result.fill_(NAN);
      }
    }
    for (const Operation& operation : operations_) {
      torch::jit::Stack stack = operation.arguments;
      operation.handle.callBoxed(&stack);
      std::vector<at::Tensor> results = Fresh(operation.arguments, stack);
      for (size_t i = 0; i < results.size(); ++i) operation.fresh[i].copy_(results[i]);
    }
  }

  // What the dispatcher calls for every operator while a capture is under way.
  static void Record(const c10::OperatorHandle& handle, c10::DispatchKeySet, torch::jit::Stack* stack) {
    const c10::impl::ExcludeDispatchKeyGuard exclude(c10::DispatchKey::TESTING_ONLY_GenericMode);
    const at::NoGradGuard no_gradient;
    const auto& schema = handle.schema().arguments();
    Operation operation{handle, {stack->end() - schema.size(), stack->end()}, {}};
    for (size_t i = 0; i < schema.size(); ++i) {
      if (schema[i].alias_info() == nullptr || !schema[i].alias_info()->isWrite()) continue;
      for (const at::Tensor& tensor : TensorsOf(operation.arguments[i])) {
        recording_->overwritten_.emplace_back(tensor, tensor.clone());
      }
    }
    handle.callBoxed(stack);
    operation.fresh = Fresh(operation.arguments, *stack);
    recording_->operations_.push_back(std::move(operation));
  }

 private:
  struct Operation {
    c10::OperatorHandle handle;
    torch::jit::Stack arguments;
    std::vector<at::Tensor> fresh;  // results in memory of their own
  };

  static std::vector<at::Tensor> TensorsOf(const c10::IValue& value) {
    std::vector<at::Tensor> tensors;
    if (value.isTensor() && value.toTensor().defined()) tensors.push_back(value.toTensor());
    if (value.isTensorList()) {
      for (const at::Tensor& tensor : value.toTensorVector()) tensors.push_back(tensor);
    }
    return tensors;
  }

  static std::vector<at::Tensor> Fresh(const torch::jit::Stack& arguments, const torch::jit::Stack& results) {
    std::vector<at::Tensor> fresh;
    for (const c10::IValue& result : results) {
      for (const at::Tensor& tensor : TensorsOf(result)) {
        bool shared = false;
        for (const c10::IValue& argument : arguments) {
          for (const at::Tensor& other : TensorsOf(argument)) shared |= tensor.is_alias_of(other);
        }
        if (!shared) fresh.push_back(tensor);
      }
    }
    return fresh;
  }

  inline static TracedGraph* recording_ = nullptr;
  Counts& counts_;
  std::vector<Operation> operations_;
  std::vector<std::pair<at::Tensor, at::Tensor>> overwritten_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ALGORITHMS_TRACED_GRAPH_H_
