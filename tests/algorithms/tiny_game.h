// Games small enough to know their optimum, played by exported policies: what comes of it is an algorithm's training
// batch. Inference is the definition of common/specs/policy_spec.h in plain loops, so that a learner's own arithmetic
// has no say in it. Everything follows from a seed.
#ifndef TROUPE_TESTS_ALGORITHMS_TINY_GAME_H_
#define TROUPE_TESTS_ALGORITHMS_TINY_GAME_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "tests/algorithms/batch_builder.h"

namespace troupe {

// Joint actions of an episode so far, oldest first: [steps][agents of all groups, in order].
using JointActions = std::vector<std::vector<int>>;

// A game of fixed episode length, played in all columns at once. Agents are numbered through all groups.
struct Game {
  std::vector<AgentGroupSpec> groups;
  int length = 1;
  int extras = 0;          // sees the first step's joint action from the second on, of as many agents
  bool truncates = false;  // ends by truncation rather than by termination
  int counted = 0;         // only the first so many agents' rewards are told of; 0: all
  // Every agent's reward for the last of the joint actions.
  std::function<std::vector<float>(const JointActions&)> reward;
  // Whether an agent acts at the next step, and may act so.
  std::function<bool(const JointActions&, int agent)> alive = [](const JointActions&, int) { return true; };
  std::function<bool(const JointActions&, int agent, int action)> allowed = [](const JointActions&, int, int) {
    return true;
  };
  // What an agent sees at the next step; `to` holds zeros. Usually: which step of the episode it is.
  std::function<void(const JointActions&, int agent, float* to)> observe = [](const JointActions& past, int,
                                                                              float* to) { to[past.size()] = 1.0f; };

  int num_counted() const {
    int count = 0;
    for (const AgentGroupSpec& group : groups) count += group.num_agents();
    return counted == 0 ? count : counted;
  }
};

// log π of an agent's actions; forbidden ones are left at kMaskedLogit. With a GRU, `remembered` is what it remembers
// before and after, and of agents that talk what it says comes after that; `heard` is what it hears.
inline std::vector<double> LogProbabilities(const PolicySpec& policy, const PolicySnapshot& weights, int agent,
                                            const float* observation, const uint8_t* mask,
                                            std::vector<double>* remembered = nullptr,
                                            const std::vector<double>& heard = {}) {
  const int set = policy.set_of_agent[agent];
  std::vector<double> x(observation, observation + policy.observation_size);
  x.insert(x.end(), heard.begin(), heard.end());
  x.resize(policy.stack.input_size, 0.0);
  if (policy.agent_id_input) x[policy.stack.input_size - policy.num_agents + agent] = 1;
  const auto parameter = [&](const std::string& name) -> const HostTensor& {
    return *std::find_if(weights.tensors.begin(), weights.tensors.end(),
                         [&](const HostTensor& tensor) { return tensor.name == policy.group + "/" + name; });
  };
  const auto product = [&](const std::vector<double>& x, const std::string& name) {
    const HostTensor &weight = parameter(name + "weight"), &bias = parameter(name + "bias");
    const int64_t inputs = weight.shape[1], outputs = weight.shape[2];
    const float* const w = weight.floats() + set * inputs * outputs;
    std::vector<double> y(bias.floats() + set * outputs, bias.floats() + (set + 1) * outputs);
    for (int64_t i = 0; i < inputs; ++i) {
      for (int64_t o = 0; o < outputs; ++o) y[o] += x[i] * w[i * outputs + o];
    }
    return y;
  };
  for (size_t layer = 0; layer < policy.stack.hidden_sizes.size(); ++layer) {
    x = product(x, "layers." + std::to_string(layer) + ".");
    for (double& h : x) h = policy.stack.activation == Activation::kTanh ? std::tanh(h) : std::max(h, 0.0);
  }
  if (policy.stack.cell == Cell::kGru) {
    const std::vector<double> gi = product(x, "cell.input_"), gh = product(*remembered, "cell.state_");
    const auto logistic = [](double y) { return 1 / (1 + std::exp(-y)); };
    const size_t size = policy.stack.recurrent_size;
    for (size_t i = 0; i < size; ++i) {
      const double r = logistic(gi[i] + gh[i]), z = logistic(gi[size + i] + gh[size + i]);
      const double n = std::tanh(gi[2 * size + i] + r * gh[2 * size + i]);
      (*remembered)[i] = (1 - z) * n + z * (*remembered)[i];
    }
    x.assign(remembered->begin(), remembered->begin() + size);
  }
  if (policy.stack.communicates()) {
    const std::vector<double> said = product(x, "message.");
    std::ranges::transform(said, remembered->end() - said.size(), [](double y) { return std::tanh(y); });
  }
  x = product(x, "output.");
  double sum = 0, most = kMaskedLogit;
  for (size_t a = 0; a < x.size(); ++a) most = std::max(most, x[a] = mask[a] != 0 ? x[a] : kMaskedLogit);
  for (const double logit : x) sum += std::exp(logit - most);
  for (double& logit : x) logit -= most + std::log(sum);
  return x;
}

// One column of a batch on its way through its episodes.
class Player {
 public:
  Player(const Game& game, const AlgorithmContext& context, int column, TrainingBatch* batch)
      : game_(game), context_(context), column_(column), batch_(*batch) {
    for (size_t g = 0; g < game.groups.size(); ++g) {
      remembered_.emplace_back(game.groups[g].num_agents(),
                               std::vector<double>(context.policies[g].stack.state_size()));
      followed_.emplace_back(game.groups[g].num_agents());
    }
  }

  // Writes what is seen at step t.
  void Look(int t) {
    const int cell = t * batch_.columns + column_;
    int agent = 0;
    for (size_t g = 0; g < game_.groups.size(); ++g) {
      const AgentGroupSpec& spec = game_.groups[g];
      GroupBatch& group = batch_.groups[g];
      for (int a = 0; a < spec.num_agents(); ++a, ++agent) {
        const int row = cell * spec.num_agents() + a;
        group.alive[row] = game_.alive(past_, agent);
        for (int action = 0; action < spec.action_size; ++action) {
          group.action_masks[row * spec.action_size + action] = game_.allowed(past_, agent, action);
        }
        if (group.alive[row] != 0) game_.observe(past_, agent, &group.observations[row * spec.observation_size]);
        if (!context_.policies[g].has_options()) continue;
        group.option_states[2 * row] = static_cast<float>(followed_[g][a].option);
        group.option_states[2 * row + 1] = static_cast<float>(followed_[g][a].age);
      }
    }
    for (int extra = 0; extra < game_.extras && !past_.empty(); ++extra) {
      batch_.state_extras[cell * game_.extras + extra] = static_cast<float>(past_.front()[extra]);
    }
  }

  // Acts on what was seen at step t; the dead take action 0. Returns the sum of the rewards that count.
  double Act(int t, const PolicySnapshot& weights, RandomStream* random) {
    const int cell = t * batch_.columns + column_;
    std::vector<int> actions;
    Record(t);
    const std::vector<std::vector<std::vector<double>>> before = remembered_;
    ForEachAgent(cell, [&](size_t g, int a, int row) {
      GroupBatch& group = batch_.groups[g];
      const AgentGroupSpec& spec = game_.groups[g];
      const float* const seen = &group.observations[row * spec.observation_size];
      const uint8_t* const mask = &group.action_masks[row * spec.action_size];
      const PolicySpec& policy = context_.policies[g];
      const std::vector<double> log_pi =
          policy.has_options()
              ? LogProbabilities(UnderOptions(policy), weights, a, Follow(policy, weights, g, a, row, random).data(),
                                 mask)
              : LogProbabilities(policy, weights, a, seen, mask, &remembered_[g][a], Heard(policy, before[g], a));
      if (group.alive[row] == 0) Silence(context_.policies[g], &remembered_[g][a]);
      int action = 0;
      if (group.alive[row] != 0) {
        action = Drawn(log_pi, random);
        while (mask[action] == 0) --action;  // rounding left some over
      }
      group.discrete_actions[row] = action;
      group.log_probabilities[row] = static_cast<float>(log_pi[action]);
      actions.push_back(action);
    });
    past_.push_back(actions);
    const std::vector<float> rewards = game_.reward(past_);
    double sum = 0;
    int agent = 0;
    ForEachAgent(cell, [&](size_t g, int, int row) {
      batch_.groups[g].rewards[row] = rewards[agent];
      if (agent++ < game_.num_counted()) sum += batch_.groups[g].rewards[row];
    });
    if (static_cast<int>(past_.size()) == game_.length) {
      for (auto& group : remembered_) {
        for (std::vector<double>& of_agent : group) std::ranges::fill(of_agent, 0.0);
      }
      for (auto& group : followed_) std::ranges::fill(group, Followed{});
      if (game_.truncates) {
        Truncate(context_.environment, t, column_, 0.0f, &batch_);
        TellWhoLives();
      } else {
        batch_.terminated[cell] = 1;
      }
      past_.clear();
    }
    return sum;
  }

 private:
  // An option and the steps for which it has been followed.
  struct Followed {
    int option = 0, age = 0;
  };

  static int Drawn(const std::vector<double>& log_pi, RandomStream* random) {
    size_t drawn = 0;
    float left = random->Uniform();
    while (drawn + 1 < log_pi.size() && left >= std::exp(log_pi[drawn])) left -= std::exp(log_pi[drawn++]);
    return static_cast<int>(drawn);
  }

  // Lets an agent choose an option where it must and records it; returns what its policy observes under it.
  std::vector<float> Follow(const PolicySpec& policy, const PolicySnapshot& weights, size_t g, int agent, int row,
                            RandomStream* random) {
    const OptionSpec& options = policy.options;
    GroupBatch& group = batch_.groups[g];
    Followed& followed = followed_[g][agent];
    const float* const seen = &group.observations[row * policy.observation_size];
    if (IsChoice(options, followed.age)) {
      std::vector<float> input(options.count + 1);
      WriteHeldOption(options, followed.option, followed.age, input.data());
      input.insert(input.end(), seen, seen + policy.observation_size);
      const std::vector<uint8_t> all(options.count, 1);
      const std::vector<double> log_pi = LogProbabilities(ManagerOf(policy), weights, agent, input.data(), all.data());
      followed = {Drawn(log_pi, random), 0};
      group.option_log_probabilities[row] = static_cast<float>(log_pi[followed.option]);
    }
    group.options[row] = followed.option;
    ++followed.age;
    std::vector<float> input(options.count);
    WriteOption(options, followed.option, input.data());
    input.insert(input.end(), seen, seen + policy.observation_size);
    return input;
  }

  // The mean of what an agent's neighbours said, from what all of the group remembered.
  static std::vector<double> Heard(const PolicySpec& policy, const std::vector<std::vector<double>>& remembered,
                                   int agent) {
    std::vector<double> heard(policy.stack.messages.size, 0.0);
    if (heard.empty()) return heard;
    for (const int other : policy.neighbours[agent]) {
      for (size_t k = 0; k < heard.size(); ++k) {
        heard[k] += *(remembered[other].end() - heard.size() + k) / policy.neighbours[agent].size();
      }
    }
    return heard;
  }
  static void Silence(const PolicySpec& policy, std::vector<double>* remembered) {
    std::fill_n(remembered->rbegin(), policy.stack.messages.size, 0.0);
  }

  // In the last state, for critics that ask.
  void TellWhoLives() {
    if (!ChunkShapeOf(context_.experiment, context_.policies).asks_who_lives) return;
    int agent = 0;
    for (size_t g = 0; g < game_.groups.size(); ++g) {
      for (int a = 0; a < game_.groups[g].num_agents(); ++a) {
        batch_.groups[g].final_alive.push_back(game_.alive(past_, agent++));
      }
    }
  }

  template <typename Body>
  void ForEachAgent(int cell, Body&& body) {
    for (size_t g = 0; g < game_.groups.size(); ++g) {
      const int agents = game_.groups[g].num_agents();
      for (int a = 0; a < agents; ++a) body(g, a, cell * agents + a);
    }
  }

  // What is remembered where a sequence begins.
  void Record(int t) {
    const int length = static_cast<int>(context_.experiment.collection().sequence_length());
    if (t % length != 0) return;
    ForEachAgent(t / length * batch_.columns + column_, [&](size_t g, int a, int row) {
      const std::vector<double>& state = remembered_[g][a];
      std::ranges::copy(state, batch_.groups[g].network_states.begin() + row * state.size());
    });
  }

  const Game& game_;
  const AlgorithmContext& context_;
  const int column_;
  TrainingBatch& batch_;
  JointActions past_;
  std::vector<std::vector<std::vector<double>>> remembered_;  // [groups][agents]
  std::vector<std::vector<Followed>> followed_;               // [groups][agents]
};

// One batch of complete episodes; the mean reward per step and agent through `mean_reward`.
inline TrainingBatch Collect(const Game& game, const AlgorithmContext& context, const PolicySnapshot& weights,
                             uint64_t seed, double* mean_reward) {
  const int steps = 4 * game.length, columns = 32;
  TrainingBatch batch = EmptyBatch(context.environment, steps, columns);
  FillRemembered(context, static_cast<uint32_t>(seed), &batch);
  FillOptions(context, seed, &batch);
  for (GroupBatch& group : batch.groups) std::ranges::fill(group.option_log_probabilities, 0.0f);
  RandomStream random(seed);
  std::vector<Player> players;
  for (int column = 0; column < columns; ++column) players.emplace_back(game, context, column, &batch);
  double total = 0;
  for (int t = 0; t <= steps; ++t) {
    for (Player& player : players) {
      player.Look(t);
      if (t < steps) total += player.Act(t, weights, &random);
    }
  }
  *mean_reward = total / (steps * columns * game.num_counted());
  ShapeForAlgorithm(context, &batch);
  return batch;
}

inline AlgorithmContext ContextOf(const Game& game, const std::string& settings) {
  return MakeContext(settings, game.groups, game.extras);
}

// The mean reward per step and agent after `updates` updates, whose batches were played by the policy of `lag` updates
// earlier (the first one's until there is one).
inline double Learn(const Game& game, const AlgorithmContext& context, int updates, int lag = 0, uint64_t seed = 50) {
  auto algorithm = CreateAlgorithm(context).value();
  std::deque<PolicySnapshot> recent;
  double reward = 0;
  for (int update = 0; update < updates; ++update) {
    recent.push_back(algorithm->ExportPolicy({.update = static_cast<uint64_t>(update)}));
    if (static_cast<int>(recent.size()) > lag + 1) recent.pop_front();
    const TrainingBatch batch = Collect(game, context, recent.front(), seed + update, &reward);
    EXPECT_TRUE(
        algorithm->Update(batch, {.update = static_cast<uint64_t>(update), .env_steps = 0, .total_env_steps = 1}).ok());
  }
  Collect(game, context, algorithm->ExportPolicy({.update = static_cast<uint64_t>(updates)}), 7, &reward);
  return reward;
}

// PPO that learns such games in some tens of updates, and the same with collection; `more` holds further fields of ppo.
inline std::string Ppo(const std::string& more = "") {
  return "ppo { epochs: 8 actor_learning_rate: 0.01 critic_learning_rate: 0.01 entropy_coefficient: 0.01 " + more +
         " } ";
}
inline std::string Fast(const std::string& more = "") {
  return "collection { num_shards: 1 copies_per_shard: 32 rollout_length: 16 } " + Ppo(more);
}
inline constexpr char kPerAgent[] = "policy { sharing: PER_AGENT hidden_sizes: [16] } critic { hidden_sizes: [32] } ";

// The listener sees after the first step what the teller did there, and is paid for doing the same at the last.
inline Game Recall() {
  return {.groups = {DiscreteGroup("listener", 1, 5, 2), DiscreteGroup("teller", 1, 5, 2)},
          .length = 3,
          .counted = 1,
          .reward =
              [](const JointActions& past) {
                return std::vector<float>{past.size() == 3 && past[2][0] == past[0][1] ? 3.0f : 0.0f, 0.0f};
              },
          .observe =
              [](const JointActions& past, int agent, float* to) {
                to[past.size()] = 1.0f;
                if (agent == 0 && past.size() == 1) to[3 + past[0][1]] = 1.0f;
              }};
}

// As Recall, but the teller alone sees what it did, and is not paid: what the listener knows it was told.
inline Game Tell() {
  return {.groups = {DiscreteGroup("pair", 2, 5, 2)},
          .length = 3,
          .counted = 1,
          .reward =
              [](const JointActions& past) {
                return std::vector<float>{past.size() == 3 && past[2][0] == past[0][1] ? 3.0f : 0.0f, 0.0f};
              },
          .observe =
              [](const JointActions& past, int agent, float* to) {
                to[past.size()] = 1.0f;
                if (agent == 1 && past.size() == 1) to[3 + past[0][1]] = 1.0f;
              }};
}

// The listener sees at the third step alone what the teller did at the first, and is paid for doing the same at the
// fourth: without something that it keeps it is right half of the time.
inline Game Cue() {
  return {.groups = {DiscreteGroup("listener", 1, 4, 2), DiscreteGroup("teller", 1, 4, 2)},
          .length = 4,
          .counted = 1,
          .reward =
              [](const JointActions& past) {
                return std::vector<float>{past.size() == 4 && past[3][0] == past[0][1] ? 4.0f : 0.0f, 0.0f};
              },
          .observe =
              [](const JointActions& past, int agent, float* to) {
                if (agent == 0 && past.size() == 2) to[past[0][1]] = 1.0f;
                to[past.size() == 3 ? 3 : 2] = 1.0f;
              }};
}

// Both must choose action 2; each good choice alone is worth nothing.
inline Game Coordination() {
  return {.groups = {DiscreteGroup("players", 2, 1, 3)}, .reward = [](const JointActions& past) {
            const std::vector<int>& now = past.back();
            const float payoff = now[0] == now[1] ? std::vector<float>{1, 2, 5}[now[0]] : 0.0f;
            return std::vector<float>{payoff, payoff};
          }};
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ALGORITHMS_TINY_GAME_H_
