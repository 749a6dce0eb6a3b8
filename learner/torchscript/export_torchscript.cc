#include "learner/torchscript/export_torchscript.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/api/module.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/files/atomic_file.h"
#include "learner/export/actor_sets.h"
#include "learner/torchscript/torchscript_source.h"

namespace troupe {
namespace {

// Part `set` of a tensor whose first axis is of sets.
at::Tensor TensorOf(const HostTensor& tensor, int set) {
  const std::vector<int64_t> shape(tensor.shape.begin() + 1, tensor.shape.end());
  at::Tensor own = at::empty(shape, at::kFloat);
  std::copy_n(tensor.floats() + set * own.numel(), own.numel(), own.data_ptr<float>());
  return own;
}

void AddBounds(const PolicySpec& policy, torch::jit::Module* module) {
  std::vector<float> halves, middles, lows, highs;
  for (const ActionBounds& of : policy.action_bounds) {
    halves.push_back(static_cast<float>((double{of.high} - of.low) / 2));
    middles.push_back(static_cast<float>((double{of.low} + of.high) / 2));
    lows.push_back(of.low);
    highs.push_back(of.high);
  }
  module->register_buffer("bounds_half", at::tensor(halves));
  module->register_buffer("bounds_middle", at::tensor(middles));
  module->register_buffer("bounds_low", at::tensor(lows));
  module->register_buffer("bounds_high", at::tensor(highs));
}

std::string Encode(const ActorSet& of) {
  torch::jit::Module module("TroupeActor");
  for (const HostTensor& tensor : of.tensors) {
    const std::string name = tensor.name.substr(of.policy->group.size() + 1);
    module.register_parameter(TorchscriptName(name), TensorOf(tensor, of.set), /*is_buffer=*/false);
  }
  if (!of.policy->action_bounds.empty()) AddBounds(*of.policy, &module);
  module.define(TorchscriptSource(*of.policy));
  module.eval();
  std::ostringstream file;
  module.save(file, {{"metadata.json", nlohmann::json(of.metadata).dump()}});
  return std::move(file).str();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> WriteTorchscriptActors(const std::string& folder, const ActorFile& actors) {
  RETURN_IF_ERROR(MakeFolder(folder));
  ASSIGN_OR_RETURN(const std::vector<ActorSet> sets, ActorSetsOf(actors, "troupe-torchscript/1"));
  std::vector<std::string> names;
  for (const ActorSet& of : sets) {
    if (of.policy->has_options()) {
      return absl::InvalidArgumentError(absl::StrCat("group \"", of.policy->group, "\": num_options is ",
                                                     of.policy->options.count,
                                                     ", and no TorchScript file holds a manager beside the network"));
    }
    RETURN_IF_ERROR(CheckTensorsFit(*of.policy, of.tensors));
    names.push_back(of.name + ".pt");
    RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(folder, "/", names.back()), {Encode(of)}));
  }
  return names;
}

}  // namespace troupe
