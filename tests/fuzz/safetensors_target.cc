// A tensor file: what is accepted holds what it says, and is read again as it was. And the same bytes as what an actor
// file says of a policy.
//
// Input: as TensorFileOf has it; the same bytes are also read as they are.
#include <string>

#include "common/files/safetensors_bytes.h"
#include "common/specs/policy_spec.h"
#include "tests/fuzz/support/corpus.h"
#include "tests/fuzz/support/target.h"
#include "tests/fuzz/support/tensor_file.h"

namespace troupe::fuzz {
namespace {

void Check(std::string_view content) {
  const auto file = ParseSafetensors(content);
  if (!file.ok()) {
    const bool other = file.status().code() == absl::StatusCode::kUnimplemented;
    return MustRefuse(file.status(), other ? absl::StatusCode::kUnimplemented : absl::StatusCode::kDataLoss);
  }
  size_t total = 0;
  for (const HostTensor& tensor : file->tensors) {
    Must(tensor.num_elements() * SizeOf(tensor.data_type) == tensor.bytes.size(), "a tensor's bytes");
    total += tensor.bytes.size();
  }
  Must(total <= content.size(), "more tensors than there are bytes");
  const auto written = FormatSafetensors(*file);
  if (!written.ok()) return;  // a tensor called as the metadata are
  const auto again = ParseSafetensors(*written);
  Must(again.ok() && again->tensors == file->tensors, "what was read is written otherwise");
}

void RunSafetensors(std::string_view input) {
  Check(input);
  Check(TensorFileOf(input));
  const auto spec = ParsePolicySpec(std::string(input));
  if (!spec.ok()) return MustRefuse(spec.status());
  const auto again = ParsePolicySpec(FormatPolicySpec(*spec));
  Must(again.ok() && *again == *spec, "a policy changes");
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds = {Recorded("actors.safetensors"), InputOf(Recorded("actors.safetensors"))};
  for (const PolicySpec& policy : TheRecordedRun().policies) seeds.push_back(FormatPolicySpec(policy));
  return seeds;
}

const Register kRegister({.name = "safetensors",
                          .run = RunSafetensors,
                          .seeds = Seeds,
                          .most_bytes = 256 << 10,
                          .most_bytes_per_byte = 512});

}  // namespace
}  // namespace troupe::fuzz
