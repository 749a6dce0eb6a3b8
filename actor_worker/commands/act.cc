#include <algorithm>
#include <cstdio>
#include <iostream>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/commands/commands.h"
#include "actor_worker/commands/scenario.h"
#include "actor_worker/evaluation/act_protocol.h"
#include "actor_worker/evaluation/watched_episode.h"
#include "actor_worker/flags.h"
#include "common/config/settings_reader.h"
#include "common/status_macros.h"

namespace troupe {
namespace {

constexpr char kUsage[] =
    "actor_worker act --actors=FILE --agent=NAME [--sample]\n"
    "  One agent. Standard input: one observation per line, numbers separated by spaces or commas (a JSON array will "
    "do), then\n"
    "  \"| MASK\" if some actions are not allowed (1 = allowed). Standard output: one action index per line. A bad "
    "line is named on\n"
    "  standard error and gets no action. NAME is an agent of the environment, or GROUP/INDEX.\n"
    "actor_worker act --actors=FILE --network [--seed=1000000] [--steps=N] [--every=1] [--sample] [--set …]\n"
    "  The whole network in the simulator, every agent by its own actor from its own observation.";

struct AgentPlace {
  int group = 0;
  int agent = 0;
};

absl::StatusOr<AgentPlace> FindAgent(const Scenario& scenario, const std::string& name) {
  const std::vector<PolicySpec>& policies = scenario.actors[0].policies;
  for (int g = 0; g < static_cast<int>(policies.size()); ++g) {
    const std::string prefix = policies[g].group + "/";
    int agent = 0;
    if (name.starts_with(prefix) && absl::SimpleAtoi(name.substr(prefix.size()), &agent)) return AgentPlace{g, agent};
  }
  ASSIGN_OR_RETURN(const auto environment, scenario.environment->create(scenario.settings));
  std::vector<std::string> known;
  for (int g = 0; g < static_cast<int>(environment->spec().groups.size()); ++g) {
    const AgentGroupSpec& group = environment->spec().groups[g];
    for (int a = 0; a < group.num_agents(); ++a) {
      if (group.agents[a] == name && g < static_cast<int>(policies.size())) return AgentPlace{g, a};
      known.push_back(group.agents[a]);
    }
  }
  const std::string nearest = NearestName(name, known);
  std::string message = absl::StrCat("--agent: ", scenario.environment->name, " has no agent \"", name, "\"");
  if (!nearest.empty()) absl::StrAppend(&message, "; did you mean \"", nearest, "\"?");
  if (nearest.empty()) absl::StrAppend(&message, "; its first is ", known.empty() ? "none" : known[0]);
  return absl::NotFoundError(message);
}

absl::Status ActForOne(const Scenario& scenario) {
  ASSIGN_OR_RETURN(const AgentPlace place, FindAgent(scenario, absl::GetFlag(FLAGS_agent)));
  ASSIGN_OR_RETURN(auto actor,
                   OwnActor::Create(scenario.actors[0].policies[place.group], scenario.actors[0].weights, place.agent));
  ServeActor(*actor, absl::GetFlag(FLAGS_sample), absl::GetFlag(FLAGS_seed), std::cin, std::cout, std::cerr);
  return absl::OkStatus();
}

std::string DecisionLine(const EnvironmentSpec& spec, const EpisodeBuffers::Copy& copy, const EpisodeResult& so_far) {
  std::string line = absl::StrFormat("step %5d ", so_far.length);
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    double reward = 0;
    for (int a = 0; a < spec.groups[g].num_agents(); ++a) {
      reward += copy.outcome.rewards[g][a] / spec.groups[g].num_agents();
      if (!copy.discrete[g].empty()) absl::StrAppend(&line, " ", spec.groups[g].agents[a], "=", copy.discrete[g][a]);
    }
    absl::StrAppendFormat(&line, "  reward %.4f", reward);
  }
  return line;
}

absl::Status ActForAll(const Scenario& scenario) {
  ASSIGN_OR_RETURN(const auto environment, scenario.environment->create(scenario.settings));
  const EnvironmentSpec& spec = environment->spec();
  const int64_t every = std::max<int64_t>(1, absl::GetFlag(FLAGS_every));
  Watch watch{.seed = absl::GetFlag(FLAGS_seed), .max_steps = absl::GetFlag(FLAGS_steps)};
  watch.look = [&](const Environment&, const EpisodeBuffers::Copy& copy, const EpisodeResult& so_far, bool over) {
    if (so_far.length == 0 || (so_far.length % every != 0 && !over)) return;
    std::puts(DecisionLine(spec, copy, so_far).c_str());
  };
  const Player player = ActorPlayer(scenario, 0, absl::GetFlag(FLAGS_sample));
  ASSIGN_OR_RETURN(const auto chooser, MakeDecentralisedChooser(spec, player.policy, watch.seed));
  ASSIGN_OR_RETURN(const EpisodeResult result, PlayWatched(*environment, *chooser, watch));
  std::fputs(FormatEpisode(spec, result).c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace

int RunAct(int argc, char** argv) {
  const std::vector<std::string> overrides = TakeSetFlags(&argc, argv);
  ParseFlags(argc, argv, kUsage, 0);
  if (absl::GetFlag(FLAGS_actors).size() != 1 || absl::GetFlag(FLAGS_network) == !absl::GetFlag(FLAGS_agent).empty()) {
    std::fprintf(stderr, "act needs one --actors file and either --agent=NAME or --network; see --help\n");
    return 2;
  }
  const absl::StatusOr<Scenario> scenario = LoadScenario(overrides);
  if (!scenario.ok()) return Fail(scenario.status());
  const absl::Status status = absl::GetFlag(FLAGS_network) ? ActForAll(*scenario) : ActForOne(*scenario);
  return status.ok() ? 0 : Fail(status);
}

}  // namespace troupe
