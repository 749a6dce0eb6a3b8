// What came of matches against saved versions.
#ifndef TROUPE_LEARNER_SELF_PLAY_MATCH_RESULTS_H_
#define TROUPE_LEARNER_SELF_PLAY_MATCH_RESULTS_H_

#include <cstdint>

#include "absl/types/span.h"
#include "common/specs/environment_spec.h"
#include "learner/batch/episode_summary.h"
#include "learner/checkpoint/self_play_state.h"
#include "learner/ranks/collective.h"

namespace troupe {

// 1: the team had a higher return than every other, 0: another had a higher one, ½: neither. A team's return is the
// mean over its agents.
double ResultOf(const EnvironmentSpec& environment, const EpisodeSummary& episode, int team);

// Adds the matches of all ranks' episodes to the records of the versions that are still in the pool, which keep about
// `remembered` matches each: after a further update older ones count less in proportion. Every rank calls it. A sum:
// the order of the episodes does not matter.
void CountMatches(const EnvironmentSpec& environment, absl::Span<const EpisodeSummary> episodes, uint32_t remembered,
                  Collective* ranks, SelfPlayState* state);

}  // namespace troupe

#endif  // TROUPE_LEARNER_SELF_PLAY_MATCH_RESULTS_H_
