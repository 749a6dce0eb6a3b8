// A replay page's picture: the payoffs of games of two players, row player 0's, column player 1's; of more players the
// matrix of what the others did, or their first actions.
#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/environments/matrix_game/matrix_game.h"
#include "actor_worker/environments/scene.h"

namespace troupe {
namespace {

constexpr int kMostActions = 12, kMostMatrices = 6;

double LargestPayoff(const std::vector<PayoffMatrix>& matrices) {
  double largest = 0;
  for (const PayoffMatrix& matrix : matrices) {
    for (const double value : matrix.values) largest = std::max(largest, std::abs(value));
  }
  return largest;
}

}  // namespace

void MatrixGame::Draw(Scene& scene) const {
  scene.Fact("now", choosing()        ? "player 0 chooses the matrix"
                    : played_.empty() ? absl::StrCat("matrix ", matrix_, " is played")
                                      : absl::StrFormat("paid %g of %g", payoff_, optimum()));
  const int players = matrices_[0].num_players(), actions = spec_.groups[0].action_size;
  if (actions > kMostActions || static_cast<int>(matrices_.size()) > kMostMatrices) return;
  const double largest = std::max(LargestPayoff(matrices_), 1e-9);
  const int columns = players > 1 ? actions : 1;
  const double stride = columns + 1.4;
  scene.Map(0, 0, stride * static_cast<double>(matrices_.size()) + 0.2, actions + 1.3);
  for (size_t m = 0; m < matrices_.size(); ++m) {
    const PayoffMatrix& matrix = matrices_[m];
    const bool here = matrix_ == static_cast<int>(m);
    const double left = 1 + stride * static_cast<double>(m);
    scene.Text({left + columns / 2.0, actions + 1.0}, 0.3, absl::StrCat("matrix ", m),
               {.ink = here ? Ink::kText : Ink::kFaint});
    std::vector<int32_t> cell = played_.empty() ? std::vector<int32_t>(players, 0) : played_;
    for (int player = 0; player < players; ++player) {
      if (cell[player] >= matrix.num_actions[player]) cell[player] = 0;
    }
    for (int row = 0; row < matrix.num_actions[0]; ++row) {
      const double top = actions - row;
      scene.Text({left - 0.2, top - 0.5}, 0.24, absl::StrCat(row), {.ink = Ink::kFaint}, TextAlign::kRight);
      for (int column = 0; column < (players > 1 ? matrix.num_actions[1] : 1); ++column) {
        cell[0] = row;
        if (players > 1) cell[1] = column;
        const double x = left + column, payoff = matrix.At(cell);
        if (row == 0 && players > 1) {
          scene.Text({x + 0.5, actions + 0.25}, 0.24, absl::StrCat(column), {.ink = Ink::kFaint});
        }
        const bool paid = here && !played_.empty() && played_[0] == row && (players < 2 || played_[1] == column);
        scene.Box({x + 0.04, top - 0.04}, {x + 0.96, top - 0.96},
                  {.ink = payoff < 0 ? Ink::kBad : Ink::kGood,
                   .opacity = (0.06 + 0.5 * std::abs(payoff) / largest) * (here || choosing() ? 1 : 0.4),
                   .note = absl::StrFormat("row: player 0, column: player 1; pays %g", payoff)});
        scene.Box({x + 0.04, top - 0.04}, {x + 0.96, top - 0.96},
                  {.ink = paid ? Ink::kText : Ink::kNone, .outline = 0.06});
        scene.Text({x + 0.5, top - 0.5}, 0.28, absl::StrFormat("%g", payoff),
                   {.ink = here || choosing() ? Ink::kText : Ink::kFaint});
      }
    }
  }
}

}  // namespace troupe
