#include "tests/fuzz/support/corpus.h"

#include <fstream>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files/atomic_file.h"
#include "common/wire/chunk_layout.h"
#include "common/wire/spec_codec.h"
#include "common/wire/unpacked_bytes.h"
#include "tests/fuzz/support/target.h"

namespace troupe::fuzz {
namespace {

constexpr char kFuzz[] = TROUPE_SOURCE_DIR "/tests/fuzz/";

RecordedRun ReadRecordedRun() {
  wire::RegisterRequest registration;
  wire::DescribeRunResponse described;
  Must(registration.ParseFromString(Recorded("register_request.bin")), "register_request.bin");
  Must(described.ParseFromString(Recorded("describe_run_response.bin")), "describe_run_response.bin");
  RecordedRun run;
  run.experiment = described.experiment();
  run.environment = DecodeEnvironmentSpec(registration.environment_spec()).value();
  run.policies = MakePolicySpecs(run.experiment, run.environment).value();
  run.shape = ChunkShapeOf(run.experiment, run.policies);
  return run;
}

}  // namespace

std::string SourceFile(const std::string& path) {
  return ReadWholeFile(absl::StrCat(TROUPE_SOURCE_DIR "/", path)).value();
}

std::string Recorded(const std::string& name) { return SourceFile("tests/golden/version_0_1/" + name); }

const RecordedRun& TheRecordedRun() {
  static const auto& run = *new RecordedRun(ReadRecordedRun());
  return run;
}

std::vector<std::string> Findings(const std::string& target) {
  const std::string folder = absl::StrCat(kFuzz, "findings");
  const std::vector<std::string> names = ListFolder(folder).value();
  std::vector<std::string> contents;
  for (const std::string& name : names) {
    if (absl::StartsWith(name, target + "."))
      contents.push_back(ReadWholeFile(absl::StrCat(folder, "/", name)).value());
  }
  return contents;
}

std::vector<std::string> Words(const std::string& target) {
  std::vector<std::string> words;
  std::ifstream file(absl::StrCat(kFuzz, target, ".dict"));
  for (std::string line; std::getline(file, line);) {
    const size_t begin = line.find('"'), end = line.rfind('"');
    if (line.empty() || line[0] == '#' || begin == std::string::npos || end <= begin) continue;
    std::string word;
    Must(absl::CUnescape(line.substr(begin + 1, end - begin - 1), &word), absl::StrCat(target, ".dict: ", line));
    words.push_back(word);
  }
  return words;
}

bool ParseWhole(std::string_view bytes, google::protobuf::Message* message) {
  return UnpackedBytes(*message->GetDescriptor(), {bytes.data(), bytes.size()}).ok() &&
         message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace troupe::fuzz
