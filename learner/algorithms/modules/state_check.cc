#include "learner/algorithms/modules/state_check.h"

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace troupe {
namespace {

std::string Describe(const HostTensor& tensor) {
  return absl::StrCat("type ", static_cast<int>(tensor.data_type), ", shape [", absl::StrJoin(tensor.shape, ", "),
                      "], ", tensor.bytes.size(), " bytes");
}

}  // namespace

absl::StatusOr<std::vector<HostTensor>> CheckState(absl::Span<const HostTensor> expected,
                                                   absl::Span<const HostTensor> state) {
  std::map<std::string, const HostTensor*> named;
  for (const HostTensor& tensor : state) {
    if (!named.emplace(tensor.name, &tensor).second) {
      return absl::InvalidArgumentError(absl::StrCat("state: tensor \"", tensor.name, "\" appears twice"));
    }
  }
  std::vector<HostTensor> checked;
  for (const HostTensor& tensor : expected) {
    const auto found = named.find(tensor.name);
    if (found == named.end()) {
      return absl::InvalidArgumentError(absl::StrCat("state: tensor \"", tensor.name, "\" is missing"));
    }
    HostTensor came = *found->second;
    named.erase(found);
    if (absl::EndsWith(came.name, "/adam.steps") && came.data_type == DataType::kFloat32 &&
        came.bytes.size() == sizeof(float)) {
      const std::vector<float> steps(tensor.num_elements(), came.floats()[0]);
      came = HostTensor::Float32(came.name, tensor.shape, steps.data());
    }
    if (came.data_type != tensor.data_type || came.shape != tensor.shape || came.bytes.size() != tensor.bytes.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("state: tensor \"", tensor.name, "\" has ", Describe(came), ", expected ", Describe(tensor)));
    }
    checked.push_back(std::move(came));
  }
  if (!named.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("state: tensor \"", named.begin()->first, "\" is unknown"));
  }
  return checked;
}

}  // namespace troupe
