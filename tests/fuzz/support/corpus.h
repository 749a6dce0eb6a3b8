// Files that fuzzing begins with: what was recorded of real runs, what fuzzing found before, and words.
#ifndef TROUPE_TESTS_FUZZ_SUPPORT_CORPUS_H_
#define TROUPE_TESTS_FUZZ_SUPPORT_CORPUS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "common/wire/chunk_shape.h"
#include "google/protobuf/message.h"
#include "proto/experiment.pb.h"
#include "proto/training_service.pb.h"

namespace troupe::fuzz {

// A file of tests/golden/version_0_1, which a run of that version wrote or sent; of the source tree.
std::string Recorded(const std::string& name);
// A file of the source tree.
std::string SourceFile(const std::string& path);

// The recorded run: what it was, what its agents saw and did, and who acted.
struct RecordedRun {
  Experiment experiment;
  EnvironmentSpec environment;
  std::vector<PolicySpec> policies;
  ChunkShape shape;
};
const RecordedRun& TheRecordedRun();

// What is in tests/fuzz/findings as TARGET.WHAT, by name: inputs that once broke a promise.
std::vector<std::string> Findings(const std::string& target);

// The words of tests/fuzz/TARGET.dict, a file as libFuzzer reads it; none where there is no file.
std::vector<std::string> Words(const std::string& target);

// Parses what is a message at all. Bytes that are none are left to protobuf, whose parser takes as much memory as the
// length of a text says, up to 50 MB, before it looks how many bytes there are.
bool ParseWhole(std::string_view bytes, google::protobuf::Message* message);

}  // namespace troupe::fuzz

#endif  // TROUPE_TESTS_FUZZ_SUPPORT_CORPUS_H_
