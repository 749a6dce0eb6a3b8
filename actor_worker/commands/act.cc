#include <algorithm>
#include <cstdio>
#include <iostream>
#include <optional>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "actor_worker/acting/fit_policies.h"
#include "actor_worker/acting/own_actor.h"
#include "actor_worker/acting/saved_agent.h"
#include "actor_worker/commands/commands.h"
#include "actor_worker/commands/flags.h"
#include "actor_worker/commands/scenario.h"
#include "actor_worker/environments/action_text.h"
#include "actor_worker/evaluation/act_protocol.h"
#include "actor_worker/evaluation/watched_episode.h"
#include "common/base/status_macros.h"
#include "common/command_line/command.h"

namespace troupe {
namespace {

Command ActCommand() {
  return {
      .name = "actor_worker act",
      .usage = {"--actors=FILE --agent=NAME [flags]", "--actors=FILE --network [flags]"},
      .text =
          "With --agent, one agent alone. Standard input: an observation per line, numbers separated by spaces or "
          "commas (a\nJSON array will do), then \"| MASK\" if some actions are not allowed (1 = allowed). Standard "
          "output: per line an action's\nnumber, the indices of a multi-discrete one, or the numbers of a continuous "
          "one in the environment's units. A line \"begin\"\nsays that an episode begins: a recurrent actor forgets "
          "what it remembers. An agent that talks takes \"; MESSAGE\" of each neighbour after that and gives its own "
          "after its action\n(docs/communication.md). A bad line is named on standard error and gets no action. What "
          "the numbers and actions are stands in the\nactor file (`learner inspect FILE`) and in `actor_worker "
          "environments NAME`.\n"
          "With --network, the whole network in the simulator, every agent by its own actor from its own observation.",
      .flags = {"actors=FILE", "agent=NAME", "network", "set FIELD=VALUE", "sample", "greedy", "seed=N", "steps=N",
                "every=N", "allow_machine_settings"},
      .examples = {"actor_worker act --actors=runs/traffic_grid/actors/best.safetensors --agent=J0 < observations.txt",
                   "actor_worker act --actors=runs/traffic_grid/actors/best.safetensors --network --every=60"}};
}

struct AgentPlace {
  PolicySpec policy;
  int agent = 0;  // index in the policy's group
};

absl::StatusOr<AgentPlace> FindAgent(const Scenario& scenario, const std::string& name) {
  const std::vector<PolicySpec>& policies = scenario.actors[0].policies;
  // As they were called in training; the file says it, so that no simulator is needed.
  const std::vector<AgentGroupSpec>& trained = scenario.actors[0].groups;
  if (const std::optional<SavedAgent> saved = FindSavedAgent(policies, trained, name)) {
    return AgentPlace{policies[saved->group], saved->agent};
  }
  // Or one of another scenario, where the actors fit it.
  const auto environment = scenario.environment->create(scenario.settings);
  if (!environment.ok() && trained.empty()) return environment.status();
  const std::vector<AgentGroupSpec>& groups = environment.ok() ? (*environment)->spec().groups : trained;
  std::vector<std::string> known;
  for (size_t g = 0; g < groups.size(); ++g) {
    for (int a = 0; a < groups[g].num_agents(); ++a) {
      known.push_back(groups[g].agents[a]);
      if (groups[g].agents[a] != name) continue;
      ASSIGN_OR_RETURN(const std::vector<PolicySpec> fitted, FitPolicies((*environment)->spec(), policies));
      return AgentPlace{fitted[g], a};
    }
  }
  return absl::NotFoundError(absl::StrCat("--agent: ", scenario.environment->name, " ", HasNoAgent(name, known)));
}

absl::Status ActForOne(const Scenario& scenario) {
  ASSIGN_OR_RETURN(const AgentPlace place, FindAgent(scenario, absl::GetFlag(FLAGS_agent)));
  ASSIGN_OR_RETURN(auto actor, OwnActor::Create(place.policy, scenario.actors[0].weights, place.agent));
  if (actor->message_size() > 0) {
    std::fprintf(stderr, "it tells %d numbers and hears agents %s of its group, in this order\n", actor->message_size(),
                 absl::StrJoin(actor->neighbours(), ", ").c_str());
  }
  if (actor->options().count > 0) {
    std::fprintf(stderr, "it follows one of %d options, and chooses another every %d steps\n", actor->options().count,
                 actor->options().steps);
  }
  // Standard output is the actions' alone.
  std::fprintf(stderr, "%s acts for %s of %s: %s; %d numbers a line in, %s out\n", scenario.paths[0].c_str(),
               absl::GetFlag(FLAGS_agent).c_str(), scenario.environment->name.c_str(), HowItActs(scenario, 0).c_str(),
               actor->observation_size(), actor->Form().c_str());
  ServeActor(*actor, scenario.sampled[0], EpisodeSeed(scenario), std::cin, std::cout, std::cerr);
  return absl::OkStatus();
}

std::string DecisionLine(const EnvironmentSpec& spec, const EpisodeBuffers::Copy& copy, const EpisodeResult& so_far) {
  std::string line = absl::StrFormat("step %5d ", so_far.length);
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    double reward = 0;
    for (int a = 0; a < spec.groups[g].num_agents(); ++a) {
      reward += copy.outcome.rewards[g][a] / spec.groups[g].num_agents();
      absl::StrAppend(&line, " ", spec.groups[g].agents[a], "=",
                      ActionText(copy.action.groups[g], a, spec.groups[g].num_agents()));
    }
    absl::StrAppendFormat(&line, "  reward %.4f", reward);
  }
  return line;
}

absl::Status ActForAll(const Scenario& scenario) {
  ASSIGN_OR_RETURN(const auto environment, scenario.environment->create(scenario.settings));
  const EnvironmentSpec& spec = environment->spec();
  const int64_t every = std::max<int64_t>(1, absl::GetFlag(FLAGS_every));
  Watch watch{.seed = EpisodeSeed(scenario), .max_steps = absl::GetFlag(FLAGS_steps)};
  watch.look = [&](const Environment&, const EpisodeBuffers::Copy& copy, const EpisodeResult& so_far, bool over) {
    if (so_far.length == 0 || (so_far.length % every != 0 && !over)) return;
    std::puts(DecisionLine(spec, copy, so_far).c_str());
  };
  const Player player = ActorPlayer(scenario, 0);
  std::fputs(
      absl::StrCat(spec.name, ", seed ", watch.seed, ", played by ", player.name, ": ", HowItActs(scenario, 0), "\n")
          .c_str(),
      stdout);
  ASSIGN_OR_RETURN(const auto chooser, MakeDecentralisedChooser(spec, player.policy, watch.seed));
  ASSIGN_OR_RETURN(const EpisodeResult result, PlayWatched(*environment, *chooser, watch));
  std::fputs(FormatEpisode(spec, result).c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace

int RunAct(int argc, char** argv) {
  CommandWords words;
  if (const std::optional<int> answered = AnswerOrRead(argc, argv, ActCommand(), &words)) return *answered;
  if (absl::GetFlag(FLAGS_actors).size() != 1 || absl::GetFlag(FLAGS_network) == !absl::GetFlag(FLAGS_agent).empty()) {
    std::fprintf(stderr,
                 "actor_worker act: one --actors file and either --agent=NAME or --network are needed; see --help\n");
    return 2;
  }
  const absl::StatusOr<Scenario> scenario = LoadScenario(words.overrides);
  if (!scenario.ok()) return Fail(scenario.status());
  const absl::Status status = absl::GetFlag(FLAGS_network) ? ActForAll(*scenario) : ActForOne(*scenario);
  return status.ok() ? 0 : Fail(status);
}

}  // namespace troupe
