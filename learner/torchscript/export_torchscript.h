// Actors as TorchScript files, which torch.jit.load opens in Python and torch::jit::load in C++:
// `learner export --format=torchscript`.
#ifndef TROUPE_LEARNER_TORCHSCRIPT_EXPORT_TORCHSCRIPT_H_
#define TROUPE_LEARNER_TORCHSCRIPT_EXPORT_TORCHSCRIPT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/specs/actor_file.h"

namespace troupe {

// Writes into `folder`, which is made: GROUP.pt of each agent group, GROUP.SET.pt of each parameter set of a group with
// several. Returns the files' names. forward is TorchscriptSource's; the extra file "metadata.json" is an object of
// ActorSetsOf's metadata, format "troupe-torchscript/1". Errors: INVALID_ARGUMENT for a group whose agents follow
// options; those of ActorSetsOf, CheckTensorsFit and WriteFileAtomically.
absl::StatusOr<std::vector<std::string>> WriteTorchscriptActors(const std::string& folder, const ActorFile& actors);

}  // namespace troupe

#endif  // TROUPE_LEARNER_TORCHSCRIPT_EXPORT_TORCHSCRIPT_H_
