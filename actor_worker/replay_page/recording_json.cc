#include "actor_worker/replay_page/recording_json.h"

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace troupe {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDigits = 4, kObservationDigits = 3;  // significant ones

Json Number(double value, int digits = kDigits) {
  if (!std::isfinite(value)) return nullptr;
  if (value == std::floor(value) && std::abs(value) < 1e4) return static_cast<int>(value);
  return std::strtod(absl::StrFormat("%.*g", digits, value).c_str(), nullptr);
}

template <typename Values>
Json Numbers(const Values& values, int digits = kDigits) {
  Json list = Json::array();
  for (const auto value : values) list.push_back(Number(value, digits));
  return list;
}

Json GroupOf(const AgentGroupSpec& group) {
  Json json = {{"name", group.name},        {"team", group.team},        {"agents", group.agents},
               {"observed", Json::array()}, {"controls", Json::array()}, {"observation_size", group.observation_size}};
  for (const ObservedNumber& number : group.observed) {
    json["observed"].push_back({number.name, number.unit, Number(number.divided_by), number.meaning});
  }
  if (group.action_kind == ActionKind::kContinuous) {
    for (int n = 0; n < group.action_size; ++n) {
      json["controls"].push_back(group.actions.empty() ? std::to_string(n) : group.actions[n].name);
    }
  }
  return json;
}

Json FrameOf(const RecordedFrame& frame) {
  return {{"step", frame.step},
          {"shapes", frame.num_shapes},
          {"changes", frame.changes},
          {"facts", frame.facts},
          {"figures", Numbers(frame.figures)},
          {"actions", frame.actions},
          {"controls", Numbers(frame.controls)},
          {"rewards", Numbers(frame.rewards)},
          {"alive", frame.alive},
          {"observations", Numbers(frame.observations, kObservationDigits)},
          {"returns", Numbers(frame.group_returns)}};
}

// Name and value of what the episode ended with.
Json OutcomeOf(const Recording& recording) {
  const EnvironmentSpec& spec = recording.spec;
  const EpisodeResult& result = recording.result;
  Json list = Json::array();
  for (size_t g = 0; g < spec.groups.size() && g < result.group_returns.size(); ++g) {
    list.push_back({"return of " + spec.groups[g].name, Number(result.group_returns[g])});
  }
  for (size_t i = 0; i < spec.statistics.size() && i < result.statistics.size(); ++i) {
    list.push_back({spec.statistics[i], Number(result.statistics[i])});
  }
  return list;
}

Json PlayerOf(const Recording& recording) {
  Json json = {{"player", recording.player},
               {"how", recording.how},
               {"ending", recording.ending},
               {"length", recording.result.length},
               {"left_out", recording.left_out},
               {"outcome", OutcomeOf(recording)},
               {"map", {recording.map.left, recording.map.bottom, recording.map.right, recording.map.top}},
               {"texts", recording.texts}};
  for (const AgentGroupSpec& group : recording.spec.groups) json["groups"].push_back(GroupOf(group));
  json["figures"] = Json::array();
  for (const RecordedFigure& figure : recording.figures) json["figures"].push_back({figure.chart, figure.series});
  json["shapes"] = Json::array();
  for (const RecordedShape& shape : recording.shapes) json["shapes"].push_back(shape.values);
  for (const RecordedFrame& frame : recording.frames) json["frames"].push_back(FrameOf(frame));
  return json;
}

}  // namespace

std::string RecordingsJson(absl::Span<const Recording> recordings) {
  Json json = {{"environment", recordings.empty() ? "" : recordings[0].spec.name},
               {"seed", recordings.empty() ? "" : std::to_string(recordings[0].result.seed)}};
  for (const Recording& recording : recordings) json["players"].push_back(PlayerOf(recording));
  const std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  return absl::StrReplaceAll(text, {{"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}});
}

}  // namespace troupe
