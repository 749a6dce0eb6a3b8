#include "actor_worker/replay_page/episode_recorder.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/environments/action_text.h"
#include "actor_worker/environments/scene.h"

namespace troupe {

EpisodeRecorder::EpisodeRecorder(const EnvironmentSpec& spec, RecordingLimits limits) : limits_(limits) {
  recording_.spec = spec;
  rewards_.resize(spec.num_agents());
}

void EpisodeRecorder::Look(const Environment& environment, const EpisodeBuffers::Copy& copy,
                           const EpisodeResult& so_far, bool over) {
  if (so_far.length > 0) AddRewards(copy);
  if (over) recording_.ending = copy.outcome.terminated ? "terminated" : "truncated";
  if (full_ || !(so_far.length % std::max<int64_t>(1, limits_.every) == 0 || over)) return;
  if (!WithinLimits(so_far.length)) return;
  recording_.frames.push_back(FrameOf(environment, copy, so_far));
  std::fill(rewards_.begin(), rewards_.end(), 0.0f);
}

Recording EpisodeRecorder::Take(EpisodeResult result) && {
  recording_.result = std::move(result);
  if (recording_.ending.empty()) recording_.ending = "stopped";
  recording_.map = shapes_.map();
  recording_.texts = shapes_.TakeTexts();
  recording_.shapes = shapes_.TakeShapes();
  return std::move(recording_);
}

void EpisodeRecorder::AddRewards(const EpisodeBuffers::Copy& copy) {
  size_t agent = 0;
  for (const absl::Span<float> rewards : copy.outcome.rewards) {
    for (const float reward : rewards) rewards_[agent++] += reward;
  }
}

bool EpisodeRecorder::WithinLimits(int64_t step) {
  const bool many = recording_.frames.size() >= limits_.frames;
  full_ = many || numbers_ + shapes_.size() >= limits_.numbers;
  if (full_) {
    recording_.left_out.push_back(
        absl::StrCat("Steps from ", step, " on are left out: a page holds ",
                     many ? absl::StrCat(limits_.frames, " frames") : absl::StrCat(limits_.numbers, " numbers"),
                     " of a player at most. A frame at every N-th step alone (--every=N) shows more of the episode."));
  }
  return !full_;
}

RecordedFrame EpisodeRecorder::FrameOf(const Environment& environment, const EpisodeBuffers::Copy& copy,
                                       const EpisodeResult& so_far) {
  RecordedFrame frame{.step = so_far.length, .rewards = rewards_, .group_returns = so_far.group_returns};
  Draw(environment, frame);
  NoteAgents(copy, frame);
  numbers_ += 2 + frame.changes.size() + frame.facts.size() + frame.figures.size() + frame.actions.size() +
              frame.controls.size() + frame.rewards.size() + frame.alive.size() + frame.group_returns.size();
  return frame;
}

void EpisodeRecorder::Draw(const Environment& environment, RecordedFrame& frame) {
  Scene scene;
  environment.Draw(scene);
  for (const SceneFact& fact : scene.facts()) {
    frame.facts.push_back(shapes_.TextIndex(fact.name));
    frame.facts.push_back(shapes_.TextIndex(fact.value));
  }
  NoteFigures(scene, frame);
  if (!scene.has_map()) return;
  frame.num_shapes = static_cast<int>(scene.shapes().size());
  drawn_.resize(scene.shapes().size(), -1);
  for (size_t place = 0; place < drawn_.size(); ++place) {
    const int32_t shape = shapes_.ShapeIndex(scene, scene.shapes()[place]);
    if (drawn_[place] == shape) continue;
    drawn_[place] = shape;
    frame.changes.push_back(static_cast<int32_t>(place));
    frame.changes.push_back(shape);
  }
}

void EpisodeRecorder::NoteFigures(const Scene& scene, RecordedFrame& frame) {
  frame.figures.assign(recording_.figures.size(), std::numeric_limits<float>::quiet_NaN());
  for (const SceneFigure& figure : scene.figures()) {
    const auto [found, added] = figure_of_.try_emplace({figure.chart, figure.series}, recording_.figures.size());
    if (added) {
      if (recording_.figures.size() >= limits_.figures) {
        recording_.left_out.push_back(absl::StrCat("Of \"", figure.chart, "\" the line ", figure.series,
                                                   " is left out: a page charts ", limits_.figures, " lines at most."));
        found->second = limits_.figures;
      } else {
        recording_.figures.push_back({figure.chart, figure.series});
        frame.figures.push_back(0);
      }
    }
    if (found->second < frame.figures.size()) frame.figures[found->second] = static_cast<float>(figure.value);
  }
}

void EpisodeRecorder::NoteAgents(const EpisodeBuffers::Copy& copy, RecordedFrame& frame) {
  const EnvironmentSpec& spec = recording_.spec;
  size_t observed = 0;
  for (const GroupObservation& group : copy.observation.groups) observed += group.observations.size();
  const bool keep = observations_ + observed <= limits_.observations;
  const bool kept_before = recording_.frames.empty() || !recording_.frames.back().observations.empty();
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    const GroupObservation& seen = copy.observation.groups[g];
    frame.alive.insert(frame.alive.end(), seen.alive.begin(), seen.alive.end());
    if (keep && kept_before) {
      frame.observations.insert(frame.observations.end(), seen.observations.begin(), seen.observations.end());
    }
    if (frame.step == 0) continue;
    const GroupAction& action = copy.action.groups[g];
    frame.controls.insert(frame.controls.end(), action.continuous.begin(), action.continuous.end());
    for (int a = 0; a < spec.groups[g].num_agents(); ++a) {
      frame.actions.push_back(shapes_.TextIndex(ActionName(g, action, a)));
    }
  }
  observations_ += frame.observations.size();
  if (kept_before && frame.observations.empty() && observed > 0) {
    recording_.left_out.push_back(absl::StrCat("What agents observe is left out from step ", frame.step,
                                               " on: a page holds ", limits_.observations, " such numbers at most."));
  }
}

std::string EpisodeRecorder::ActionName(size_t group, const GroupAction& action, int agent) const {
  const AgentGroupSpec& spec = recording_.spec.groups[group];
  if (spec.action_kind == ActionKind::kContinuous) {
    std::string text;
    for (int n = 0; n < spec.action_size; ++n) {
      absl::StrAppendFormat(&text, "%s%.3g", n == 0 ? "" : ", ", action.continuous[agent * spec.action_size + n]);
    }
    return text;
  }
  if (spec.actions.empty()) return ActionText(action, agent, spec.num_agents());
  std::string text;
  int first = 0;
  for (int d = 0; d < spec.num_choices(); ++d) {
    const int chosen = first + action.discrete[agent * spec.num_choices() + d];
    absl::StrAppend(&text, d == 0 ? "" : ", ", spec.actions[chosen].name);
    first += spec.choices_of(d);
  }
  return text;
}

}  // namespace troupe
