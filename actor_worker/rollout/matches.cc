#include "actor_worker/rollout/matches.h"

#include <algorithm>

#include "common/base/random.h"
#include "common/specs/self_play_check.h"

namespace troupe {
namespace {

// Keeps the draws apart from all else that is drawn by the same numbers.
constexpr uint64_t kMatchDomain = 0x6d61746368;

}  // namespace

Matches::Matches(const EnvironmentSpec& spec, int copies, const Source& source)
    : source_(source), team_of_(TeamOfGroups(spec)), matches_(copies) {}

void Matches::Begin(int copy, const Roster* roster) {
  Match& match = matches_[copy];
  seats_are_old_ = seats_are_old_ || match.opponent != nullptr;
  match.opponent = nullptr;
  const uint64_t number = match.begun++;
  if (roster == nullptr || roster->opponents.empty()) return;
  Draw(
      MixKey({source_.run_seed, kMatchDomain, source_.shard, source_.lease_epoch, static_cast<uint64_t>(copy), number}),
      *roster, &match);
  seats_are_old_ = seats_are_old_ || match.opponent != nullptr;
}

void Matches::Draw(uint64_t key, const Roster& roster, Match* match) const {
  RandomStream random(key);
  if (random.UniformDouble() < roster.newest_probability) return;
  // Teams that meet anybody, and how much their weights are together.
  std::vector<std::pair<int, double>> teams;
  for (size_t team = 0; team < roster.opponents.front().weights.size(); ++team) {
    double sum = 0;
    for (const Roster::Opponent& opponent : roster.opponents) sum += opponent.weights[team];
    if (sum > 0) teams.emplace_back(static_cast<int>(team), sum);
  }
  if (teams.empty()) return;
  const auto [team, sum] = teams[random.Below(static_cast<uint32_t>(teams.size()))];
  match->learning_team = team;
  double left = random.UniformDouble() * sum;
  for (const Roster::Opponent& opponent : roster.opponents) {
    if (opponent.weights[team] <= 0) continue;
    match->opponent = opponent.actors;
    left -= opponent.weights[team];
    if (left < 0) return;
  }
}

absl::Span<const Seat> Matches::seats() {
  if (!seats_are_old_) return seats_;
  seats_are_old_ = false;
  seats_.clear();
  for (int copy = 0; copy < static_cast<int>(matches_.size()); ++copy) {
    for (int group = 0; group < static_cast<int>(team_of_.size()); ++group) {
      if (!Learns(copy, group)) seats_.push_back({matches_[copy].opponent, group, copy});
    }
  }
  return seats_;
}

void Matches::WriteLearns(int group, absl::Span<uint8_t> learns) const {
  const size_t agents = learns.size() / matches_.size();
  for (size_t copy = 0; copy < matches_.size(); ++copy) {
    std::fill_n(learns.begin() + copy * agents, agents, Learns(static_cast<int>(copy), group) ? 1 : 0);
  }
}

void Matches::Describe(int copy, wire::FinishedEpisode* episode) const {
  const Match& match = matches_[copy];
  if (match.opponent == nullptr) return;
  episode->set_saved_version(match.opponent->policy_version);
  episode->set_learning_team(static_cast<uint32_t>(match.learning_team));
}

}  // namespace troupe
