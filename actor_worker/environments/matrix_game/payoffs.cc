#include "actor_worker/environments/matrix_game/payoffs.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr int kMaxPlayers = 8;
constexpr size_t kMaxActions = 64;
constexpr size_t kMaxMatrices = 64;
constexpr size_t kMaxPayoffs = 1000000;

// Appends the payoffs below `level`, whose lists must be as long as num_actions says.
absl::Status Flatten(const nlohmann::json& level, size_t player, PayoffMatrix& matrix) {
  if (player == matrix.num_actions.size()) {
    if (!level.is_number()) return absl::InvalidArgumentError("lists are nested unequally deep");
    matrix.values.push_back(level.get<double>());
    return absl::OkStatus();
  }
  if (!level.is_array()) return absl::InvalidArgumentError("lists are nested unequally deep");
  if (level.size() != matrix.num_actions[player]) {
    return absl::InvalidArgumentError(absl::StrCat("player ", player, " has ", matrix.num_actions[player],
                                                   " actions in one place and ", level.size(), " in another"));
  }
  for (const nlohmann::json& below : level) RETURN_IF_ERROR(Flatten(below, player + 1, matrix));
  return absl::OkStatus();
}

absl::StatusOr<PayoffMatrix> ParseMatrix(absl::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_array()) {
    return absl::InvalidArgumentError("not nested lists of numbers such as [[8, -12], [-12, 0]]");
  }
  // The first list of each level says how many actions its player has; Flatten holds the others to it.
  PayoffMatrix matrix;
  size_t num_payoffs = 1;
  for (const nlohmann::json* level = &json; level->is_array(); level = &level->front()) {
    if (level->empty() || level->size() > kMaxActions) {
      return absl::InvalidArgumentError(absl::StrCat("a player has 1 to ", kMaxActions, " actions"));
    }
    num_payoffs *= level->size();
    matrix.num_actions.push_back(static_cast<int>(level->size()));
    if (matrix.num_players() > kMaxPlayers || num_payoffs > kMaxPayoffs) {
      return absl::InvalidArgumentError(
          absl::StrCat("at most ", kMaxPlayers, " players and ", kMaxPayoffs, " payoffs"));
    }
  }
  RETURN_IF_ERROR(Flatten(json, 0, matrix));
  for (const double value : matrix.values) {
    if (!(std::abs(value) <= 1e6)) return absl::InvalidArgumentError("a payoff lies outside [-1e6, 1e6]");
  }
  return matrix;
}

}  // namespace

double PayoffMatrix::At(absl::Span<const int32_t> actions) const {
  size_t index = 0;
  for (size_t player = 0; player < num_actions.size(); ++player) {
    index = index * num_actions[player] + actions[player];
  }
  return values[index];
}

BestJointAction FindBest(const PayoffMatrix& matrix) {
  const auto best = std::max_element(matrix.values.begin(), matrix.values.end());
  BestJointAction found{std::vector<int32_t>(matrix.num_players()), *best};
  auto index = best - matrix.values.begin();
  for (int player = matrix.num_players() - 1; player >= 0; --player) {
    found.actions[player] = static_cast<int32_t>(index % matrix.num_actions[player]);
    index /= matrix.num_actions[player];
  }
  return found;
}

absl::StatusOr<std::vector<PayoffMatrix>> ParsePayoffs(const std::string& text) {
  const std::vector<absl::string_view> texts = absl::StrSplit(text, ';');
  if (texts.size() > kMaxMatrices)
    return absl::InvalidArgumentError(absl::StrCat("at most ", kMaxMatrices, " matrices"));
  std::vector<PayoffMatrix> matrices;
  int most_actions = static_cast<int>(texts.size() > 1 ? texts.size() : 1);
  for (const absl::string_view one : texts) {
    ASSIGN_OR_RETURN(PayoffMatrix matrix, ParseMatrix(one));
    for (const int actions : matrix.num_actions) most_actions = std::max(most_actions, actions);
    matrices.push_back(std::move(matrix));
    if (matrices.back().num_players() != matrices.front().num_players()) {
      return absl::InvalidArgumentError("the matrices have different numbers of players");
    }
  }
  if (most_actions < 2) return absl::InvalidArgumentError("nobody has a choice");
  return matrices;
}

absl::StatusOr<std::vector<PayoffMatrix>> ReadPayoffs(SettingsReader& reader, absl::Span<const NamedGame> games,
                                                      const std::string& game_help, const std::string& payoffs_help) {
  constexpr char kCustom[] = "custom";
  std::vector<std::string> names;
  for (const NamedGame& game : games) names.push_back(game.name);
  names.push_back(kCustom);
  const std::string name = reader.Choice("game", names.front(), names, game_help);
  const std::string custom = reader.Text("payoffs", "", payoffs_help);
  RETURN_IF_ERROR(reader.Finish());
  if (name != kCustom && !custom.empty()) {
    return absl::InvalidArgumentError("environment.settings.payoffs: these are for game custom alone");
  }
  const auto named = std::ranges::find_if(games, [&](const NamedGame& game) { return game.name == name; });
  auto matrices = ParsePayoffs(named == games.end() ? custom : named->payoffs);
  if (matrices.ok()) return matrices;
  return absl::InvalidArgumentError(absl::StrCat("environment.settings.payoffs: ", matrices.status().message()));
}

}  // namespace troupe
