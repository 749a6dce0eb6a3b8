// An actor file: what is accepted is written and read again as it was, and its actors can be made to act.
//
// Input: as TensorFileOf has it.
#include <string>

#include "actor_worker/acting/group_actor.h"
#include "common/files/safetensors_bytes.h"
#include "common/specs/actor_file_bytes.h"
#include "common/specs/saved_policies.h"
#include "tests/fuzz/support/corpus.h"
#include "tests/fuzz/support/target.h"
#include "tests/fuzz/support/tensor_file.h"

namespace troupe::fuzz {
namespace {

void CheckPolicies(SafetensorsFile file) {
  const auto saved = TakePolicies(std::move(file));
  if (!saved.ok()) return MustRefuse(saved.status());
  SafetensorsFile written;
  Must(AddPolicies(*saved, &written).ok(), "policies that were taken do not fit");
  const auto again = TakePolicies(written);
  if (!again.ok()) Must(false, "what was accepted is refused when written: " + again.status().ToString());
  Must(again->policies == saved->policies && again->groups == saved->groups, "policies change");
  Must(again->weights.tensors == saved->weights.tensors, "weights change");
  for (const PolicySpec& policy : saved->policies) {
    const auto actor = GroupActor::Create(policy, /*copies=*/1);
    const absl::Status status = actor.ok() ? (*actor)->SetSnapshot(saved->weights) : actor.status();
    if (!status.ok()) MustRefuse(status);
  }
}

void RunActorFile(std::string_view input) {
  const auto file = ParseSafetensors(TensorFileOf(input));
  if (!file.ok()) return;
  const auto actors = DecodeActorFile(*file);
  if (actors.ok()) {
    Must(!actors->policies.empty(), "no policies");
  } else {
    const bool other = actors.status().code() == absl::StatusCode::kUnimplemented;
    MustRefuse(actors.status(), other ? absl::StatusCode::kUnimplemented : absl::StatusCode::kInvalidArgument);
    if (other) return;
  }
  CheckPolicies(*file);
}

std::vector<std::string> Seeds() { return {InputOf(Recorded("actors.safetensors"))}; }

const Register kRegister({.name = "actor_file",
                          .run = RunActorFile,
                          .seeds = Seeds,
                          .most_bytes = 4 << 20,
                          .most_bytes_per_byte = 1024,
                          .longest = 8192,
                          .mutations = 5000});

}  // namespace
}  // namespace troupe::fuzz
