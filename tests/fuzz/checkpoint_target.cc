// A checkpoint: what is accepted is written and read again as it was.
//
// Input: as TensorFileOf has it.
#include <string>

#include "common/files/safetensors_bytes.h"
#include "learner/checkpoint/checkpoint.h"
#include "tests/fuzz/support/corpus.h"
#include "tests/fuzz/support/target.h"
#include "tests/fuzz/support/tensor_file.h"

namespace troupe::fuzz {
namespace {

void RunCheckpoint(std::string_view input) {
  auto file = ParseSafetensors(TensorFileOf(input));
  if (!file.ok()) return;
  const bool is_whole = file->metadata.contains(kHeaderChecksum);
  const auto checkpoint = DecodeCheckpoint(*std::move(file));
  if (!checkpoint.ok()) {
    const absl::StatusCode code = checkpoint.status().code();
    // Of another version, or no checkpoint at all, or damaged.
    const bool known = code == absl::StatusCode::kUnimplemented || code == absl::StatusCode::kInvalidArgument ||
                       (!is_whole && code == absl::StatusCode::kDataLoss);
    return MustRefuse(checkpoint.status(), known ? code : absl::StatusCode::kDataLoss);
  }
  const SafetensorsFile written = EncodeCheckpoint(*checkpoint);
  const auto again = DecodeCheckpoint(written);
  if (!again.ok()) Must(false, "what was accepted is refused when written: " + again.status().ToString());
  Must(again->run_id == checkpoint->run_id && again->counters == checkpoint->counters, "counters change");
  Must(again->environment == checkpoint->environment, "the environment changes");
  Must(again->algorithm_state == checkpoint->algorithm_state, "the algorithm's state changes");
  Must(again->ingest.lease_epochs == checkpoint->ingest.lease_epochs, "lease epochs change");
  Must(again->policy.tensors == checkpoint->policy.tensors, "the policy changes");
  Must(again->self_play.has_value() == checkpoint->self_play.has_value(), "the pool changes");
  Must(EncodeCheckpoint(*again).metadata == written.metadata, "what is written again is written otherwise");
  const auto actors = MakeActorFile(*checkpoint);
  if (!actors.ok()) MustRefuse(actors.status());
}

std::vector<std::string> Seeds() { return {InputOf(Recorded("checkpoint.safetensors"))}; }

const Register kRegister({.name = "checkpoint",
                          .run = RunCheckpoint,
                          .seeds = Seeds,
                          .most_bytes = 4 << 20,
                          .most_bytes_per_byte = 1024,
                          .longest = 12288,
                          .mutations = 3000});

}  // namespace
}  // namespace troupe::fuzz
