// A model card: the README.md by which model hubs list what an actor file is, and people read it.
#ifndef TROUPE_LEARNER_EXPORT_MODEL_CARD_H_
#define TROUPE_LEARNER_EXPORT_MODEL_CARD_H_

#include <string>

#include "absl/status/status.h"
#include "common/specs/actor_file.h"

namespace troupe {

// Markdown with a head in YAML: library_name, pipeline_tag, tags (environment and algorithm among them) and, of actors
// that are a run's best, model-index with what they are best by. Then what the actors are, how they were evaluated, of
// each group its agents and what goes in and comes out, how to use the file `actors`, and the experiment.
std::string FormatModelCard(const ActorFile& file, const std::string& actors);

// `folder`, which is made: actors.safetensors and its README.md, as a hub takes it. Errors: those of WriteActorFile and
// WriteFileAtomically.
absl::Status WriteModelFolder(const std::string& folder, const ActorFile& file);

}  // namespace troupe

#endif  // TROUPE_LEARNER_EXPORT_MODEL_CARD_H_
