#include "learner/algorithms/modules/critic_layout.h"

#include <algorithm>
#include <numeric>

#include "absl/status/status.h"

namespace troupe {
namespace {

DenseStackSpec StackOf(const CriticSettings& settings, int input_size, int output_size) {
  DenseStackSpec stack;
  stack.input_size = input_size;
  stack.output_size = output_size;
  stack.hidden_sizes.assign(settings.hidden_sizes().begin(), settings.hidden_sizes().end());
  stack.activation = settings.activation() == TANH ? Activation::kTanh : Activation::kRelu;
  stack.input_layer_norm = settings.input_layer_norm();
  stack.hidden_layer_norm = settings.hidden_layer_norm();
  stack.orthogonal_init = settings.orthogonal_init();
  stack.output_gain = 1.0f;
  stack.cell = CellOf(settings.recurrent_cell());
  stack.recurrent_size = stack.has_cell() ? static_cast<int>(settings.recurrent_size()) : 0;
  return stack;
}

// Tokens: an agent's own numbers, of every group, then the extras.
AttentionSpec AttentionOf(const CriticSettings& settings, const EnvironmentSpec& environment, bool per_token) {
  AttentionSpec attention{.heads = static_cast<int>(settings.attention_heads()),
                          .layers = static_cast<int>(settings.attention_layers()),
                          .token_size = static_cast<int>(settings.token_size()),
                          .kinds = {},
                          .per_token = per_token};
  for (const AgentGroupSpec& group : environment.groups) {
    const int id = settings.agent_id_input() ? group.num_agents() : 0;
    attention.kinds.push_back({.tokens = group.num_agents(), .size = group.observation_size + id});
  }
  if (environment.state_extras_size > 0) {
    attention.kinds.push_back({.tokens = 1, .size = environment.state_extras_size, .may_be_absent = false});
  }
  return attention;
}

// One row of all there is in a step.
void LookAtState(const CriticSettings& settings, const EnvironmentSpec& environment, CriticLayout* layout) {
  layout->masks_dead = settings.death_masking();
  layout->stack = StackOf(settings, environment.state_size(), layout->columns());
  if (settings.attention_heads() == 0) return;
  layout->agent_id_input = settings.agent_id_input();
  layout->stack.attention = AttentionOf(settings, environment, !layout->team);
  layout->stack.input_size = layout->stack.attention.input_size();
}

}  // namespace

bool CriticLayout::is_team_of(int g) const { return std::ranges::find(team_groups, g) != team_groups.end(); }

absl::StatusOr<std::vector<CriticLayout>> MakeCriticLayouts(const CriticSettings& settings,
                                                            const EnvironmentSpec& environment) {
  std::vector<CriticLayout> layouts;
  const bool sees_state = settings.input() == GLOBAL_STATE || settings.input() == CRITIC_INPUT_UNSPECIFIED;
  if (sees_state && settings.heads() != EACH_AGENT) {
    const std::vector<std::string> teams = environment.teams();
    for (const std::string& team : teams) {
      CriticLayout layout{.name = teams.size() == 1 || team.empty() ? "team" : "team_" + team, .team = true};
      for (int g = 0; g < environment.groups.size(); ++g) {
        if (environment.groups[g].team == team) layout.team_groups.push_back(g);
      }
      LookAtState(settings, environment, &layout);
      layouts.push_back(std::move(layout));
    }
    return layouts;
  }
  if (sees_state) {
    CriticLayout layout{.name = "agents"};
    for (int g = 0; g < environment.groups.size(); ++g) {
      for (int a = 0; a < environment.groups[g].num_agents(); ++a) layout.agents.emplace_back(g, a);
    }
    LookAtState(settings, environment, &layout);
    layouts.push_back(std::move(layout));
    return layouts;
  }
  if (settings.heads() != EACH_AGENT) {
    return absl::InvalidArgumentError("critic.heads: TEAM with a per-agent critic.input, expected EACH_AGENT");
  }
  for (int g = 0; g < environment.groups.size(); ++g) {
    const AgentGroupSpec& group = environment.groups[g];
    CriticLayout layout{.name = group.name, .input = settings.input(), .group = g, .rows_per_step = group.num_agents()};
    layout.masks_dead = settings.death_masking();
    layout.agent_id_input = settings.input() == AGENT_SPECIFIC_STATE || settings.agent_id_input();
    for (int a = 0; a < group.num_agents(); ++a) layout.agents.emplace_back(g, a);
    int size = group.observation_size + (layout.agent_id_input ? group.num_agents() : 0);
    if (settings.input() == AGENT_SPECIFIC_STATE) size += environment.state_size();
    layout.stack = StackOf(settings, size, 1);
    layouts.push_back(std::move(layout));
  }
  return layouts;
}

ValueStreams MakeValueStreams(const CriticLayout& layout, const EnvironmentSpec& environment,
                              const TrainingBatch& batch, const RewardSettings& reward,
                              const std::vector<float>& values, const std::vector<std::vector<float>>& importance) {
  const int64_t steps = batch.rollout_length, width = batch.columns, heads = layout.columns();
  ValueStreams streams{.steps = steps, .columns = width * heads, .bootstrap_inactive = reward.bootstrap_dead};
  streams.rewards.assign(steps * width * heads, 0.0f);
  streams.active.assign((steps + 1) * width * heads, 0);
  if (!importance.empty()) streams.importance.assign(steps * width * heads, 1.0f);
  for (int64_t cell = 0; cell < (steps + 1) * width; ++cell) {
    const bool acted = cell < steps * width;
    const auto living = [&](int g, int64_t agent) {
      return batch.groups[g].alive[cell * environment.groups[g].num_agents() + agent] != 0;
    };
    if (!layout.team) {
      for (int64_t head = 0; head < heads; ++head) {
        const auto [g, agent] = layout.agents[head];
        const int64_t from = cell * environment.groups[g].num_agents() + agent, to = cell * heads + head;
        streams.active[to] = living(g, agent);
        if (!acted) continue;
        streams.rewards[to] = static_cast<float>(reward.scale * batch.groups[g].rewards[from]);
        if (!importance.empty() && living(g, agent)) streams.importance[to] = importance[g][from];
      }
      continue;
    }
    double sum = 0, weight = 1;
    int64_t paid = 0, alive = 0;
    for (const int g : layout.team_groups) {
      const int64_t agents = environment.groups[g].num_agents();
      for (int64_t agent = 0; agent < agents; ++agent) {
        const bool lives = living(g, agent);
        alive += lives;
        if (acted && (lives || reward.team != MEAN_LIVING)) {
          sum += batch.groups[g].rewards[cell * agents + agent];
          ++paid;
        }
        if (acted && lives && !importance.empty()) weight *= importance[g][cell * agents + agent];
      }
    }
    streams.active[cell] = alive > 0;
    const double share = reward.team == SUM ? 1.0 : static_cast<double>(paid);
    if (paid > 0) streams.rewards[cell] = static_cast<float>(reward.scale * sum / share);
    if (acted && !importance.empty()) streams.importance[cell] = static_cast<float>(weight);
  }

  const int64_t acted = steps * width * heads;
  streams.values.assign(values.begin(), values.begin() + acted);
  streams.next_values.assign(values.begin() + width * heads, values.begin() + width * heads + acted);
  streams.continues.assign(acted, 1);
  for (int64_t cell = 0; cell < steps * width; ++cell) {
    if (batch.terminated[cell] == 0 && batch.truncated[cell] == 0) continue;
    for (int64_t head = 0; head < heads; ++head) {
      streams.continues[cell * heads + head] = 0;
      streams.next_values[cell * heads + head] = 0.0f;
    }
  }
  const float* final_values = values.data() + (steps + 1) * width * heads;
  for (size_t k = 0; 2 * k < batch.truncated_at.size(); ++k, final_values += heads) {
    const int64_t cell = batch.truncated_at[2 * k] * width + batch.truncated_at[2 * k + 1];
    if (batch.terminated[cell] != 0) continue;
    for (int64_t head = 0; head < heads; ++head) {
      if (!reward.bootstrap_dead && streams.active[cell * heads + head] == 0) continue;
      streams.next_values[cell * heads + head] = final_values[head];
    }
  }
  return streams;
}

}  // namespace troupe
