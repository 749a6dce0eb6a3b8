// Payoffs of a matrix game: read from text, looked up, and searched for the best joint action.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_MATRIX_GAME_PAYOFFS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_MATRIX_GAME_PAYOFFS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/config/settings_reader.h"

namespace troupe {

// What the team is paid for each joint action of one step.
struct PayoffMatrix {
  std::vector<int> num_actions;  // of each player
  std::vector<double> values;    // [actions of player 0, actions of player 1, …]

  int num_players() const { return static_cast<int>(num_actions.size()); }
  double At(absl::Span<const int32_t> actions) const;
};

struct BestJointAction {
  std::vector<int32_t> actions;
  double payoff = 0;
};

// The joint action that is paid most, by looking at all of them; the first one of equals.
BestJointAction FindBest(const PayoffMatrix& matrix);

// Reads nested lists, a level for each player: "[[8, -12], [-12, 0]]" has two players of two actions, and -12 in the
// first row is for player 0's action 0 and player 1's action 1. Several matrices, of equally many players, are
// separated by semicolons.
//
// Errors: INVALID_ARGUMENT saying what is wrong, without the setting's name. At most 8 players, 64 actions each,
// 64 matrices, 1,000,000 payoffs each; a player has two actions at least, somewhere.
absl::StatusOr<std::vector<PayoffMatrix>> ParsePayoffs(const std::string& text);

struct NamedGame {
  const char* name;
  const char* payoffs;  // as ParsePayoffs reads them
};

// Reads the settings `game`, one of `games` (the first unless set) or custom, and `payoffs`, which are for custom
// alone, and finishes the reader: an environment reads its other settings first.
//
// Errors: of SettingsReader::Finish; INVALID_ARGUMENT naming environment.settings.payoffs.
absl::StatusOr<std::vector<PayoffMatrix>> ReadPayoffs(SettingsReader& reader, absl::Span<const NamedGame> games,
                                                      const std::string& game_help, const std::string& payoffs_help);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_MATRIX_GAME_PAYOFFS_H_
