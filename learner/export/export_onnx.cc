#include "learner/export/export_onnx.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/command_line/version.h"
#include "common/files/atomic_file.h"
#include "learner/export/actor_sets.h"
#include "learner/export/onnx_policy.h"

namespace troupe {

absl::StatusOr<std::vector<std::string>> WriteOnnxActors(const std::string& folder, const ActorFile& actors) {
  RETURN_IF_ERROR(MakeFolder(folder));
  ASSIGN_OR_RETURN(const std::vector<ActorSet> sets, ActorSetsOf(actors, "troupe-onnx/1"));
  std::vector<std::string> names;
  for (const ActorSet& of : sets) {
    ASSIGN_OR_RETURN(const OnnxModel model, MakeOnnxPolicy(*of.policy, of.tensors, of.set));
    names.push_back(of.name + ".onnx");
    RETURN_IF_ERROR(
        WriteFileAtomically(absl::StrCat(folder, "/", names.back()), {model.Encode(ProjectVersion(), of.metadata)}));
  }
  return names;
}

}  // namespace troupe
