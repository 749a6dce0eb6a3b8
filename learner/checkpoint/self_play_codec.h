// The pool of saved versions in a checkpoint: metadata "self_play.…", tensors "saved/VERSION/GROUP/PARAMETER".
#ifndef TROUPE_LEARNER_CHECKPOINT_SELF_PLAY_CODEC_H_
#define TROUPE_LEARNER_CHECKPOINT_SELF_PLAY_CODEC_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/host_tensor.h"
#include "common/base/policy_snapshot.h"
#include "common/files/safetensors.h"
#include "learner/checkpoint/self_play_state.h"

namespace troupe {

void AddSelfPlay(const SelfPlayState& state, SafetensorsFile* file);

// Puts a pool together again: its metadata first, then its tensors in the order they come in.
class SelfPlayReader {
 public:
  // Reads the metadata; without any there is no pool. `num_teams`: of the environment. Errors: INVALID_ARGUMENT naming
  // the entry that is missing or bad.
  absl::Status Begin(const std::map<std::string, std::string>& metadata, int num_teams);
  // Whether this is a tensor of a saved version, which then has it.
  bool Take(HostTensor& tensor);
  // None: there is no pool.
  std::optional<SelfPlayState> Finish();

 private:
  std::optional<SelfPlayState> state_;
  std::map<uint64_t, std::shared_ptr<PolicySnapshot>> versions_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_CHECKPOINT_SELF_PLAY_CODEC_H_
