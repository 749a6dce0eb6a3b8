#include "learner/checkpoint/self_play_codec.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/files/snapshot_scalars.h"

namespace troupe {
namespace {

constexpr char kSaved[] = "self_play.saved";  // versions so far
constexpr char kPool[] = "self_play.pool";    // those that are there: "20,40"
constexpr char kTensorPrefix[] = "saved/";

// "12,7.5;3,1": matches and those won, of each team.
std::string RecordsEntry(uint64_t version) { return absl::StrCat("self_play.records.", version); }
std::string ScalarsPrefix(uint64_t version) { return absl::StrCat("self_play.scalars.", version, "."); }

std::string FormatRecords(const std::vector<MatchRecord>& records) {
  return absl::StrJoin(records, ";", [](std::string* text, const MatchRecord& record) {
    absl::StrAppendFormat(text, "%.17g,%.17g", record.matches, record.won);
  });
}

absl::Status Bad(const std::string& entry, const std::string& text) {
  return absl::InvalidArgumentError(absl::StrCat("metadata ", entry, ": \"", text, "\""));
}

absl::StatusOr<std::string> Text(const std::map<std::string, std::string>& metadata, const std::string& entry) {
  const auto found = metadata.find(entry);
  if (found != metadata.end()) return found->second;
  return absl::InvalidArgumentError(absl::StrCat("metadata entry \"", entry, "\" is missing"));
}

absl::StatusOr<std::vector<MatchRecord>> ParseRecords(const std::string& entry, const std::string& text,
                                                      int num_teams) {
  std::vector<MatchRecord> records;
  for (const absl::string_view team : absl::StrSplit(text, ';')) {
    const std::vector<absl::string_view> numbers = absl::StrSplit(team, ',');
    MatchRecord record;
    if (numbers.size() != 2 || !absl::SimpleAtod(numbers[0], &record.matches) ||
        !absl::SimpleAtod(numbers[1], &record.won) || !(record.won >= 0 && record.won <= record.matches)) {
      return Bad(entry, text);
    }
    records.push_back(record);
  }
  if (static_cast<int>(records.size()) != num_teams) return Bad(entry, text);
  return records;
}

}  // namespace

void AddSelfPlay(const SelfPlayState& state, SafetensorsFile* file) {
  std::vector<uint64_t> versions;
  for (const SavedVersion& saved : state.pool) {
    const uint64_t version = saved.actors->policy_version;
    versions.push_back(version);
    file->metadata[RecordsEntry(version)] = FormatRecords(saved.records);
    AddScalars(saved.actors->scalars, &file->metadata, ScalarsPrefix(version));
    for (const HostTensor& tensor : saved.actors->tensors) {
      file->tensors.push_back(tensor);
      file->tensors.back().name = absl::StrCat(kTensorPrefix, version, "/", tensor.name);
    }
  }
  file->metadata[kSaved] = absl::StrCat(state.saved);
  file->metadata[kPool] = absl::StrJoin(versions, ",");
}

absl::Status SelfPlayReader::Begin(const std::map<std::string, std::string>& metadata, int num_teams) {
  if (!metadata.contains(kSaved)) return absl::OkStatus();
  SelfPlayState state;
  if (!absl::SimpleAtoi(metadata.at(kSaved), &state.saved)) return Bad(kSaved, metadata.at(kSaved));
  ASSIGN_OR_RETURN(const std::string pool, Text(metadata, kPool));
  for (const absl::string_view part : absl::StrSplit(pool, ',', absl::SkipEmpty())) {
    uint64_t version = 0;
    if (!absl::SimpleAtoi(part, &version)) return Bad(kPool, pool);
    auto actors = std::make_shared<PolicySnapshot>();
    actors->policy_version = version;
    if (!versions_.emplace(version, actors).second) return Bad(kPool, pool);
    ASSIGN_OR_RETURN(actors->scalars, ReadScalars(metadata, ScalarsPrefix(version)));
    ASSIGN_OR_RETURN(const std::string records, Text(metadata, RecordsEntry(version)));
    SavedVersion saved{.actors = std::move(actors), .records = {}};
    ASSIGN_OR_RETURN(saved.records, ParseRecords(RecordsEntry(version), records, num_teams));
    state.pool.push_back(std::move(saved));
  }
  state_ = std::move(state);
  return absl::OkStatus();
}

bool SelfPlayReader::Take(HostTensor& tensor) {
  if (!absl::StartsWith(tensor.name, kTensorPrefix)) return false;
  const size_t begin = sizeof(kTensorPrefix) - 1, end = tensor.name.find('/', begin);
  uint64_t version = 0;
  if (end == std::string::npos || !absl::SimpleAtoi(tensor.name.substr(begin, end - begin), &version)) return false;
  const auto found = versions_.find(version);
  if (found == versions_.end()) return false;
  tensor.name.erase(0, end + 1);
  found->second->tensors.push_back(std::move(tensor));
  return true;
}

std::optional<SelfPlayState> SelfPlayReader::Finish() { return std::move(state_); }

}  // namespace troupe
