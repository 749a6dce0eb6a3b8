// Actors as ONNX files, which other programs run: `learner export --format=onnx`.
#ifndef TROUPE_LEARNER_EXPORT_EXPORT_ONNX_H_
#define TROUPE_LEARNER_EXPORT_EXPORT_ONNX_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/specs/actor_file.h"

namespace troupe {

// Writes into `folder`, which is made: GROUP.onnx of each agent group, GROUP.SET.onnx of each parameter set of a group
// with several. Returns the files' names. The graph is MakeOnnxPolicy's; metadata_props are those of ActorSetsOf,
// format "troupe-onnx/1". Errors: those of ActorSetsOf, MakeOnnxPolicy and WriteFileAtomically.
absl::StatusOr<std::vector<std::string>> WriteOnnxActors(const std::string& folder, const ActorFile& actors);

}  // namespace troupe

#endif  // TROUPE_LEARNER_EXPORT_EXPORT_ONNX_H_
