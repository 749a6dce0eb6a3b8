#include "actor_worker/evaluation/act_protocol.h"

#include <cmath>
#include <numeric>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "actor_worker/environments/action_text.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr size_t kLongestQuote = 24;
constexpr absl::string_view kBegin = "begin";

// "[1, 2]" → "1, 2"; a bracket alone stays, and is refused as no number.
absl::string_view WithoutBrackets(absl::string_view part) {
  part = absl::StripAsciiWhitespace(part);
  if (part.size() >= 2 && part.front() == '[' && part.back() == ']') part = part.substr(1, part.size() - 2);
  return part;
}

absl::Status ParseNumbers(absl::string_view part, const std::string& what, int expected, std::vector<float>* numbers) {
  numbers->clear();
  for (const absl::string_view word :
       absl::StrSplit(WithoutBrackets(part), absl::ByAnyChar(" \t,\r"), absl::SkipEmpty())) {
    float value = 0;
    if (!absl::SimpleAtof(word, &value) || !std::isfinite(value)) {
      return absl::InvalidArgumentError(absl::StrCat(what, " ", numbers->size(), " is \"",
                                                     word.substr(0, kLongestQuote), "\", expected a finite number"));
    }
    numbers->push_back(value);
    if (static_cast<int>(numbers->size()) > expected) break;
  }
  if (static_cast<int>(numbers->size()) == expected) return absl::OkStatus();
  const bool more = static_cast<int>(numbers->size()) > expected;
  return absl::InvalidArgumentError(
      absl::StrCat("got ", more ? absl::StrCat("more than ", expected) : absl::StrCat(numbers->size()),
                   " numbers in the ", what, ", expected ", expected));
}

}  // namespace

absl::Status ParseObservationLine(absl::string_view line, int observation_size, absl::Span<const int> choices,
                                  ObservationLine* parsed) {
  const std::vector<absl::string_view> parts = absl::StrSplit(line, '|');
  if (parts.size() > 2) {
    return absl::InvalidArgumentError(
        absl::StrCat(parts.size() - 1, " '|' came, expected at most one, before the mask"));
  }
  RETURN_IF_ERROR(ParseNumbers(parts[0], "observation", observation_size, &parsed->observation));
  parsed->mask.clear();
  if (parts.size() == 1) return absl::OkStatus();
  if (choices.empty()) return absl::InvalidArgumentError("a mask came, which continuous actions do not have");
  std::vector<float> mask;
  RETURN_IF_ERROR(ParseNumbers(parts[1], "mask", std::accumulate(choices.begin(), choices.end(), 0), &mask));
  for (const float entry : mask) {
    if (entry != 0.0f && entry != 1.0f) {
      return absl::InvalidArgumentError(absl::StrCat("mask ", parsed->mask.size(), " is ", entry, ", expected 0 or 1"));
    }
    parsed->mask.push_back(entry == 1.0f);
  }
  return CheckMask(parsed->mask, choices);
}

absl::Status ParseMessages(absl::Span<const absl::string_view> parts, int neighbours, int message_size,
                           std::vector<std::vector<float>>* messages) {
  if (static_cast<int>(parts.size()) > neighbours) {
    return absl::InvalidArgumentError(
        absl::StrCat(parts.size(), " messages came, expected at most ", neighbours, ", one from each neighbour"));
  }
  messages->assign(neighbours, {});
  for (size_t i = 0; i < parts.size(); ++i) {
    if (absl::StripAsciiWhitespace(parts[i]).empty()) continue;
    RETURN_IF_ERROR(ParseNumbers(parts[i], absl::StrCat("message ", i), message_size, &(*messages)[i]));
  }
  return absl::OkStatus();
}

namespace {

// A line's parts until its actor has acted.
class LineReader {
 public:
  explicit LineReader(const OwnActor& actor) : actor_(actor) {}

  absl::Status Read(absl::string_view line) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, ';');
    RETURN_IF_ERROR(ParseObservationLine(parts[0], actor_.observation_size(), actor_.choices(), &seen_));
    RETURN_IF_ERROR(ParseMessages(absl::MakeConstSpan(parts).subspan(1), static_cast<int>(actor_.neighbours().size()),
                                  actor_.message_size(), &messages_));
    heard_.clear();
    for (const std::vector<float>& message : messages_) heard_.push_back(message.empty() ? nullptr : message.data());
    return absl::OkStatus();
  }
  const ObservationLine& seen() const { return seen_; }
  absl::Span<const float* const> heard() const { return heard_; }

 private:
  const OwnActor& actor_;
  ObservationLine seen_;
  std::vector<std::vector<float>> messages_;
  std::vector<const float*> heard_;
};

// What stands after the action: exact.
std::string MessageText(absl::Span<const float> message) {
  if (message.empty()) return "";
  return absl::StrCat(";", absl::StrJoin(message, ",", [](std::string* text, float number) {
                        absl::StrAppendFormat(text, "%.9g", number);
                      }));
}

}  // namespace

ServedLines ServeActor(OwnActor& actor, bool sample, uint64_t seed, std::istream& in, std::ostream& out,
                       std::ostream& err) {
  ServedLines served;
  RandomStream draws(seed);
  LineReader reader(actor);
  std::string line;
  std::vector<float> uniforms(actor.draws());
  for (int64_t number = 1; std::getline(in, line); ++number) {
    for (float& uniform : uniforms) uniform = draws.Uniform();
    if (absl::StripAsciiWhitespace(line) == kBegin) {
      actor.Begin();
      continue;
    }
    const absl::Status status = reader.Read(line);
    if (!status.ok()) {
      ++served.refused;
      err << "line " << number << ": " << status.message() << std::endl;
      continue;
    }
    ++served.acted;
    const auto taken_draws = sample ? absl::MakeConstSpan(uniforms) : absl::Span<const float>();
    const GroupAction& action = actor.Act(reader.seen().observation, reader.seen().mask, taken_draws, reader.heard());
    out << ActionText(action, 0, 1) << MessageText(actor.message()) << std::endl;
  }
  return served;
}

}  // namespace troupe
