#include "actor_worker/environments/mpe/mpe_actions.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr int kNumMoves = kMpeMoves.size();
constexpr std::array<const char*, kNumMoves> kMoveNames = {"none", "left", "right", "down", "up"};

void SayWord(int word, absl::Span<double> message) {
  std::fill(message.begin(), message.end(), 0.0);
  if (!message.empty()) message[word] = 1;
}

int MoveOf(Vector2 control) {
  for (int move = 1; move < kNumMoves; ++move) {
    if (control.x == kMpeMoves[move].x && control.y == kMpeMoves[move].y) return move;
  }
  return 0;
}

std::string Meaning(int move) { return move == 0 ? "no push" : absl::StrCat("a push: ", kMoveNames[move]); }

std::vector<NamedAction> ContinuousActions(const MpeRole& role) {
  std::vector<NamedAction> actions;
  if (role.moves) actions = {{"push_x", "to the right"}, {"push_y", "upwards"}};
  for (int word = 0; word < role.vocabulary; ++word) {
    actions.push_back({absl::StrCat("say_", word), "how strongly, from -1, not at all, to 1"});
  }
  return actions;
}

std::vector<NamedAction> MultiDiscreteActions(const MpeRole& role) {
  std::vector<NamedAction> actions;
  for (int move = 0; role.moves && move < kNumMoves; ++move) actions.push_back({kMoveNames[move], Meaning(move)});
  for (int word = 0; word < role.vocabulary; ++word) actions.push_back({absl::StrCat("say_", word), ""});
  return actions;
}

std::vector<NamedAction> DiscreteActions(const MpeRole& role) {
  std::vector<NamedAction> actions;
  for (int word = 0; word < std::max(role.vocabulary, 1); ++word) {
    const std::string says = role.vocabulary > 0 ? absl::StrCat("say_", word) : "";
    if (!role.moves) actions.push_back({says, ""});
    for (int move = 0; role.moves && move < kNumMoves; ++move) {
      actions.push_back({absl::StrCat(says, says.empty() ? "" : "_", kMoveNames[move]), Meaning(move)});
    }
  }
  return actions;
}

}  // namespace

void DescribeActions(const MpeRole& role, ActionKind kind, AgentGroupSpec* group) {
  group->action_kind = kind;
  switch (kind) {
    case ActionKind::kDiscrete:
      group->actions = DiscreteActions(role);
      break;
    case ActionKind::kContinuous:
      group->actions = ContinuousActions(role);
      break;
    case ActionKind::kMultiDiscrete:
      group->actions = MultiDiscreteActions(role);
      if (role.moves) group->action_sizes.push_back(kNumMoves);
      if (role.vocabulary > 0) group->action_sizes.push_back(role.vocabulary);
      break;
  }
  group->action_size = static_cast<int>(group->actions.size());
}

Vector2 ApplyDiscrete(const MpeRole& role, int action, absl::Span<double> message) {
  SayWord(role.moves ? action / kNumMoves : action, message);
  return role.moves ? kMpeMoves[action % kNumMoves] : Vector2{};
}

Vector2 ApplyMultiDiscrete(const MpeRole& role, absl::Span<const int32_t> action, absl::Span<double> message) {
  SayWord(action.back(), message);
  return role.moves ? kMpeMoves[action[0]] : Vector2{};
}

Vector2 ApplyContinuous(const MpeRole& role, absl::Span<const float> action, absl::Span<double> message) {
  const absl::Span<const float> said = action.subspan(role.moves ? 2 : 0);
  for (size_t word = 0; word < message.size(); ++word) message[word] = (said[word] + 1.0) / 2;
  return role.moves ? Vector2{action[0], action[1]} : Vector2{};
}

int DiscreteActionOf(const MpeRole& role, const MpeMove& move) {
  return role.moves ? MoveOf(move.control) + kNumMoves * move.word : move.word;
}

void WriteMultiDiscreteAction(const MpeRole& role, const MpeMove& move, absl::Span<int32_t> action) {
  if (role.vocabulary > 0) action.back() = move.word;
  if (role.moves) action[0] = MoveOf(move.control);
}

void WriteContinuousAction(const MpeRole& role, const MpeMove& move, absl::Span<float> action) {
  absl::Span<float> said = action;
  if (role.moves) {
    WritePair(move.control, action.data());
    said.remove_prefix(2);
  }
  std::fill(said.begin(), said.end(), -1.0f);
  if (!said.empty()) said[move.word] = 1;
}

}  // namespace troupe
