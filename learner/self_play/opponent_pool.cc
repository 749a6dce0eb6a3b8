#include "learner/self_play/opponent_pool.h"

#include <cmath>
#include <utility>

#include "common/base/random.h"

namespace troupe {
namespace {

// What the run's seed is mixed with.
constexpr uint64_t kReservoir = 0x706f6f6c;

}  // namespace

void SaveVersion(const SelfPlaySettings& settings, uint64_t run_seed, int num_teams,
                 std::shared_ptr<const PolicySnapshot> actors, SelfPlayState* state) {
  const uint64_t number = state->saved++;  // of versions before it
  std::vector<SavedVersion>& pool = state->pool;
  if (pool.size() >= settings.pool_size()) {
    size_t leaves = 0;
    if (settings.stay() == ANY_STAY) {
      RandomStream random(MixKey({run_seed, kReservoir, number}));
      leaves = static_cast<size_t>(random.UniformDouble() * static_cast<double>(number + 1));
      if (leaves >= pool.size()) return;
    }
    pool.erase(pool.begin() + static_cast<int64_t>(leaves));
  }
  pool.push_back({std::move(actors), std::vector<MatchRecord>(num_teams)});
}

double WinRate(const MatchRecord& record) { return (record.won + 0.5) / (record.matches + 1); }

double OpponentWeight(const SelfPlaySettings& settings, double win_rate) {
  switch (settings.opponents()) {
    case HARDEST:
      return std::pow(1 - win_rate, settings.priority_exponent());
    case EVEN:
      return win_rate * (1 - win_rate);
    default:
      return 1;
  }
}

std::shared_ptr<const Roster> MakeRoster(const SelfPlaySettings& settings, const std::vector<uint8_t>& learning,
                                         const SelfPlayState& state) {
  if (state.pool.empty()) return nullptr;
  auto roster = std::make_shared<Roster>();
  roster->newest_probability = settings.newest_probability();
  for (const SavedVersion& saved : state.pool) {
    Roster::Opponent opponent{.actors = saved.actors, .weights = std::vector<double>(learning.size(), 0.0)};
    for (size_t team = 0; team < learning.size(); ++team) {
      if (learning[team] != 0) opponent.weights[team] = OpponentWeight(settings, WinRate(saved.records[team]));
    }
    roster->opponents.push_back(std::move(opponent));
  }
  return roster;
}

}  // namespace troupe
