// The subcommands as a user calls them, on real actor files of grid_world.
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/flags/reflection.h"
#include "actor_worker/commands/commands.h"
#include "actor_worker/environments/registry/registry.h"
#include "common/config/experiment_loader.h"
#include "common/files/atomic_file.h"
#include "common/specs/actor_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/inference_reference.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Ended {
  int status = 0;
  std::string out;
  std::string err;
};

// Runs a subcommand with default flags; what it sets is forgotten afterwards.
Ended RunCommand(int (*command)(int, char**), std::vector<std::string> words) {
  absl::FlagSaver saver;
  words.insert(words.begin(), "actor_worker");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Ended ended;
  ended.status = command(int(words.size()), argv.data());
  std::fflush(stdout);
  ended.out = testing::internal::GetCapturedStdout();
  ended.err = testing::internal::GetCapturedStderr();
  return ended;
}

class CommandTest : public testing::Test {
 protected:
  // An actor file of untrained actors, of grid_world unless told otherwise; `more`: of their experiment.
  std::string WriteActors(const std::string& name, uint64_t seed, const std::string& more = "",
                          const std::string& environment_name = "grid_world") {
    ActorFile file;
    file.experiment = *ParseExperiment(
        "name: \"test\" total_env_steps: 1000 environment { name: \"" + environment_name + "\" } " + more, "test", {});
    const auto environment = *(*FindEnvironment(environment_name))->create({});
    file.policies = *MakePolicySpecs(file.experiment, environment->spec());
    for (const PolicySpec& spec : file.policies) {
      for (HostTensor& tensor : RandomWeights(spec, seed)) file.weights.tensors.push_back(std::move(tensor));
    }
    file.weights.policy_version = 12;
    file.env_steps = 3456;
    const std::string path = folder_.path() + "/" + name + ".safetensors";
    EXPECT_TRUE(WriteActorFile(path, file).ok());
    return path;
  }

  TemporaryFolder folder_;
};

TEST_F(CommandTest, EvaluatePrintsEveryPlayerAndWritesEveryEpisode) {
  const std::string one = WriteActors("one", 1), two = WriteActors("two", 2),
                    json_path = folder_.path() + "/result.json";
  const Ended ended =
      RunCommand(RunEvaluate, {"--actors=" + one + "," + two, "--episodes=6", "--json=" + json_path, "--threads=2"});
  ASSERT_EQ(ended.status, 0) << ended.err;
  for (const char* const part :
       {"grid_world, 2 agents: 6 episodes each, seeds 2000000 to 2000005; actors greedy, as trained for",
        "\nmappo one ", "\nmappo two ", "\nmean of the 2 ", "\nrandom ", "* best"}) {
    EXPECT_THAT(ended.out, HasSubstr(part));
  }
  const auto json = nlohmann::json::parse(*ReadWholeFile(json_path));
  EXPECT_EQ(json["players"][0]["name"], "mappo one");
  EXPECT_EQ(json["players"][1]["env_steps"], 3456);
  for (const auto& player : json["players"]) EXPECT_EQ(player["episodes"].size(), 6);
  EXPECT_EQ(json["players"][2]["episodes"][5]["seed"], 2000005);
}

TEST_F(CommandTest, EvaluateLetsActorFilesPlayEachOther) {
  const std::string one = WriteActors("one", 1, "", "simple_tag"), two = WriteActors("two", 2, "", "simple_tag"),
                    json_path = folder_.path() + "/cross.json";
  const Ended ended =
      RunCommand(RunEvaluate, {"--actors=" + one + "," + two, "--episodes=5", "--cross_play", "--json=" + json_path});
  ASSERT_EQ(ended.status, 0) << ended.err;
  for (const char* const part : {"\none / one ", "\none / two ", "\ntwo / one ", "\ntwo / two ",
                                 "\npredators_return: predators of the row with the others of the column\n"}) {
    EXPECT_THAT(ended.out, HasSubstr(part));
  }
  EXPECT_THAT(ended.out, Not(HasSubstr("mean of the")));
  EXPECT_THAT(ended.out, Not(HasSubstr("random")));
  const auto json = nlohmann::json::parse(*ReadWholeFile(json_path));
  EXPECT_EQ(json["players"][2]["actor_file"], two);
  EXPECT_EQ(json["players"][2]["opponents_file"], one);
  EXPECT_EQ(RunCommand(RunEvaluate, {"--actors=" + WriteActors("three", 3), "--cross_play"}).status, 1);
}

constexpr char kPlays[] =
    "evaluation { sample_actions: true final_episodes: 3 final_first_seed: 77 baselines: \"greedy\" }";

TEST_F(CommandTest, EvaluatePlaysAsTheExperimentSaysUnlessFlagsDo) {
  const std::string path = WriteActors("one", 1, kPlays);
  const Ended as_trained = RunCommand(RunEvaluate, {"--actors=" + path});
  ASSERT_EQ(as_trained.status, 0) << as_trained.err;
  EXPECT_THAT(as_trained.out, HasSubstr("3 episodes each, seeds 77 to 79; actors sampling, as trained for\n"));
  EXPECT_THAT(as_trained.out, HasSubstr("\ngreedy "));
  EXPECT_THAT(as_trained.out, Not(HasSubstr("\nrandom ")));
  const std::vector<std::string> plan = {"--actors=" + path, "--episodes=2", "--first_seed=5", "--baselines=random"};
  const auto with = [&](const std::string& flag) {
    std::vector<std::string> words = plan;
    words.push_back(flag);
    return RunCommand(RunEvaluate, words);
  };
  EXPECT_THAT(with("--greedy").out, HasSubstr("2 episodes each, seeds 5 to 6; actors greedy, as asked\n"));
  EXPECT_THAT(with("--set=evaluation.sample_actions=false").out, HasSubstr("actors greedy, as trained for\n"));
  // The same policy, the same draws: only the words differ.
  const std::string asked = with("--sample").out, default_way = RunCommand(RunEvaluate, plan).out;
  EXPECT_EQ(asked.substr(asked.find('\n')), default_way.substr(default_way.find('\n')));
  EXPECT_THAT(RunCommand(RunEvaluate, {"--actors=" + path, "--sample", "--greedy"}).err,
              HasSubstr("--sample and --greedy: expected one of them"));
}

TEST_F(CommandTest, EveryActorFilePlaysAsItsOwnExperimentSays) {
  const std::string sampled = WriteActors("one", 1, kPlays), greedy = WriteActors("two", 2);
  const Ended ended = RunCommand(RunEvaluate, {"--actors=" + sampled + "," + greedy});
  ASSERT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("seeds 77 to 79; mappo one sampling, mappo two greedy, as trained for\n"));
}

TEST_F(CommandTest, ActAndReplayPlayAsTheExperimentSaysToo) {
  const std::string path = WriteActors("one", 1, kPlays);
  const auto replay = [&](const std::string& how) {
    return RunCommand(RunReplay, {"--actors=" + path, "--every=1000", how}).out;
  };
  EXPECT_THAT(replay("--steps=0"), HasSubstr("grid_world, seed 77, played by mappo one: sampling, as its experiment"));
  EXPECT_THAT(replay("--greedy"), HasSubstr("greedy, as asked"));
  const auto end_of = [](const std::string& text) { return text.substr(text.find("seed 77, ", 20)); };
  EXPECT_EQ(end_of(replay("--steps=0")), end_of(replay("--sample")));
  EXPECT_NE(end_of(replay("--steps=0")), end_of(replay("--greedy")));
  const Ended network = RunCommand(RunAct, {"--actors=" + path, "--network", "--every=1000"});
  EXPECT_THAT(network.out, HasSubstr("grid_world, seed 77, played by mappo one: sampling, as its experiment says\n"));
  EXPECT_EQ(end_of(network.out), end_of(replay("--steps=0")));
}

TEST_F(CommandTest, CheckOnlyTellsAWrongExperimentFromAMissingSimulator) {
  const auto check = [](std::vector<std::string> words) {
    words.insert(words.begin(), "--check_only");
    return RunCommand(RunEvaluate, words);
  };
  EXPECT_EQ(check({"--environment=grid_world"}).status, 0);
  const auto wrong = [&](const std::string& setting, const std::string& message) {
    const Ended ended = check({"--environment=traffic_grid", "--set", setting});
    EXPECT_EQ(ended.status, 2) << setting;
    EXPECT_THAT(ended.err, HasSubstr(message));
  };
  wrong("evaluation.baselines=max_waev",
        "evaluation.baselines: traffic_grid has no baseline \"max_waev\"; did you mean");
  wrong("evaluation.best_by=mean_waiting_second", "evaluation.best_by");
  wrong("environment.settings.yellow_secs=2", "environment.settings.yellow_secs");
  EXPECT_EQ(check({"--environment=grid_wrold"}).status, 2);
  const Ended missing = check({"--environment=sumo", "--set", "environment.settings.sumo_home=/nonexistent"});
  EXPECT_EQ(missing.status, 3);
  EXPECT_THAT(missing.err, HasSubstr("sumo_home"));
}

TEST_F(CommandTest, MistakenFlagsAreNamedAndHelpTeaches) {
  const Ended unknown = RunCommand(RunEvaluate, {"--episode=3"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean \"--episodes\"?"));
  EXPECT_EQ(RunCommand(RunReplay, {"--learner=x:1"}).status, 2);
  for (const auto command : {RunEvaluate, RunAct, RunReplay, RunEnvironments}) {
    const Ended help = RunCommand(command, {"--help"});
    EXPECT_EQ(help.status, 0);
    for (const char* part : {"usage: actor_worker ", "flags, with their defaults\n", "\nexample"}) {
      EXPECT_THAT(help.out, HasSubstr(part));
    }
  }
}

TEST_F(CommandTest, EvaluateRepeatsItselfWhateverTheThreads) {
  const std::string path = WriteActors("one", 1);
  const auto run = [&](const std::string& threads, const std::string& sample) {
    return RunCommand(RunEvaluate, {"--actors=" + path, "--episodes=9", sample, "--threads=" + threads}).out;
  };
  EXPECT_EQ(run("1", "--greedy"), run("3", "--greedy"));
  EXPECT_EQ(run("1", "--sample"), run("3", "--sample"));
  EXPECT_NE(run("1", "--sample"), run("1", "--greedy"));
}

TEST_F(CommandTest, EvaluateChoosesBaselinesAndTakesSettings) {
  const std::string path = WriteActors("one", 1);
  const Ended chosen = RunCommand(RunEvaluate, {"--actors=" + path, "--episodes=1", "--baselines=random", "--set",
                                                "environment.settings.max_steps=7"});
  EXPECT_EQ(chosen.status, 0) << chosen.err;
  EXPECT_THAT(chosen.out, HasSubstr("settings: max_steps=7"));
  EXPECT_THAT(chosen.err, HasSubstr("was trained with other environment settings"));
  EXPECT_THAT(RunCommand(RunEvaluate, {"--actors=" + path, "--baselines=none", "--episodes=1"}).out,
              Not(HasSubstr("random")));
  const Ended unknown = RunCommand(RunEvaluate, {"--actors=" + path, "--baselines=randon"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("--baselines: grid_world has no baseline \"randon\"; did you mean \"random\"?"));
}

TEST_F(CommandTest, EvaluatePlaysBaselinesWithoutActors) {
  const Ended ended = RunCommand(RunEvaluate, {"--environment=grid_world", "--episodes=2"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("\nrandom "));
  EXPECT_THAT(RunCommand(RunEvaluate, {}).err, HasSubstr("give --actors, --experiment or --environment"));
}

TEST_F(CommandTest, BadFilesAreNamedAndFail) {
  const Ended missing = RunCommand(RunEvaluate, {"--actors=" + folder_.path() + "/none.safetensors"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.err, HasSubstr("none.safetensors"));
  const std::string rubbish = folder_.path() + "/rubbish.safetensors";
  ASSERT_TRUE(WriteFileAtomically(rubbish, {"this is no actor file, whatever its name says"}).ok());
  for (const auto command : {RunEvaluate, RunReplay}) {
    const Ended ended = RunCommand(command, {"--actors=" + rubbish});
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.err, HasSubstr("rubbish.safetensors"));
  }
  const Ended act = RunCommand(RunAct, {"--actors=" + rubbish, "--agent=x"});
  EXPECT_EQ(act.status, 1);
  const Ended setting =
      RunCommand(RunEvaluate, {"--actors=" + WriteActors("one", 1), "--set", "environment.settings.max_stepz=7"});
  EXPECT_EQ(setting.status, 1);
  EXPECT_THAT(setting.err, HasSubstr("max_steps"));
}

TEST_F(CommandTest, ActForOneAgentAnswersLines) {
  const std::string path = WriteActors("one", 1);
  const auto environment = *(*FindEnvironment("grid_world"))->create({});
  const AgentGroupSpec& group = environment->spec().groups[0];
  std::string line;
  for (int i = 0; i < group.observation_size; ++i) line += "0.5 ";
  std::istringstream input(line + "\nnothing\n" + line + "\n");
  std::streambuf* const before = std::cin.rdbuf(input.rdbuf());
  std::cin.clear();
  const Ended ended = RunCommand(RunAct, {"--actors=" + path, "--agent=" + group.agents[1]});
  std::cin.rdbuf(before);
  EXPECT_EQ(ended.status, 0);
  ASSERT_EQ(ended.out.size(), 4) << ended.out;
  EXPECT_EQ(ended.out.substr(0, 2), ended.out.substr(2));
  EXPECT_THAT(ended.err, HasSubstr("greedy, as its experiment says; 6 numbers a line in, action 0 … 3 out\nline 2: "));
}

TEST_F(CommandTest, ActNamesUnknownAgentsAndMissingFlags) {
  const std::string path = WriteActors("one", 1);
  EXPECT_THAT(RunCommand(RunAct, {"--actors=" + path, "--agent=nobody_at_all"}).err,
              HasSubstr("no agent \"nobody_at_all\""));
  EXPECT_EQ(RunCommand(RunAct, {"--actors=" + path}).status, 2);
  EXPECT_EQ(RunCommand(RunAct, {"--actors=" + path, "--agent=a", "--network"}).status, 2);
  EXPECT_EQ(RunCommand(RunAct, {"--agent=a"}).status, 2);
}

TEST_F(CommandTest, ActForTheNetworkPrintsDecisionsAndStatistics) {
  const std::string path = WriteActors("one", 1);
  const Ended ended = RunCommand(RunAct, {"--actors=" + path, "--network", "--seed=5", "--steps=6", "--every=2"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("step     2 "));
  EXPECT_THAT(ended.out, Not(HasSubstr("step     3 ")));
  EXPECT_THAT(ended.out, HasSubstr("seed 5, 6 steps\n"));
  EXPECT_THAT(ended.out, HasSubstr("success"));
}

TEST_F(CommandTest, ReplayShowsTheEnvironment) {
  const Ended baseline = RunCommand(RunReplay, {"--environment=grid_world", "--controller=random", "--steps=4"});
  EXPECT_EQ(baseline.status, 0) << baseline.err;
  EXPECT_THAT(baseline.out, HasSubstr("step 4 of "));
  EXPECT_THAT(baseline.out, testing::StartsWith("grid_world, seed 2000000, played by random\n"));
  const Ended actors = RunCommand(RunReplay, {"--actors=" + WriteActors("one", 1), "--steps=4", "--every=4"});
  EXPECT_EQ(actors.status, 0) << actors.err;
  EXPECT_THAT(actors.out, HasSubstr("step 0 of "));
  EXPECT_THAT(actors.out, Not(HasSubstr("step 3 of ")));
  EXPECT_THAT(actors.out, HasSubstr("played by mappo one: greedy, as its experiment says\n"));
  EXPECT_EQ(RunCommand(RunReplay, {}).status, 2);
}

TEST_F(CommandTest, ReplayWritesAPageOfOneOrTwoPlayers) {
  const std::string page = testing::TempDir() + "/replay_command.html";
  const Ended both = RunCommand(RunReplay, {"--actors=" + WriteActors("one", 1), "--controller=optimal", "--steps=4",
                                            "--seed=5", "--out=" + page});
  EXPECT_EQ(both.status, 0) << both.err;
  EXPECT_THAT(both.out, HasSubstr("mappo one: greedy, as its experiment says\nseed 5, "));
  EXPECT_THAT(both.out, HasSubstr("optimal\nseed 5, "));
  EXPECT_THAT(both.out, HasSubstr("wrote " + page));
  EXPECT_THAT(both.out, Not(HasSubstr("step 0 of ")));
  std::ifstream file(page);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  EXPECT_THAT(text, HasSubstr("\"player\":\"mappo one\""));
  EXPECT_THAT(text, HasSubstr("\"player\":\"optimal\""));
  const Ended three =
      RunCommand(RunReplay, {"--environment=grid_world", "--controller=random,optimal,greedy", "--out=x"});
  EXPECT_EQ(three.status, 2);
  EXPECT_THAT(three.err, HasSubstr("one or two players are needed"));
  const Ended nowhere = RunCommand(RunReplay, {"--environment=grid_world", "--controller=random", "--out=/nowhere/x"});
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("/nowhere/x"));
}

TEST_F(CommandTest, EnvironmentsListsAndDescribes) {
  const Ended list = RunCommand(RunEnvironments, {});
  for (const EnvironmentEntry& entry : AllEnvironments()) EXPECT_THAT(list.out, HasSubstr(entry.name));
  const Ended one = RunCommand(RunEnvironments, {"grid_world"});
  EXPECT_THAT(one.out, HasSubstr("max_steps"));
  EXPECT_THAT(one.out, HasSubstr("baselines\n  random\n"));
  EXPECT_THAT(one.out, HasSubstr("        1  own_column    cells / 4  from the left\n"));
  EXPECT_THAT(one.out, HasSubstr("        3  right  one column right\n"));
  const Ended larger = RunCommand(RunEnvironments, {"grid_world", "--set", "environment.settings.size=9"});
  EXPECT_THAT(larger.out, HasSubstr("cells / 8"));
  const Ended wrong = RunCommand(RunEnvironments, {"grid_world", "--set", "environment.settings.sise=9"});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean"));
  const Ended unknown = RunCommand(RunEnvironments, {"grid_wrold"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean \"grid_world\"?"));
}

}  // namespace
}  // namespace troupe
