#!/usr/bin/env python3
"""Records what two published codes make of random actions; mpe_golden_test.cc replays it.

    pip install mpe2==1.1.1                      and ORIGINAL_MPE=FOLDER, see reference_codes.py
    tests/golden/mpe/record.py episodes          writes SCENARIO.txt beside itself, in some seconds
    tests/golden/mpe/record.py returns [EPISODES]    prints mean episode returns, in minutes

A file holds cases, a case episodes, an episode its start and its steps, in lines of a word and numbers:
    case SETTING=VALUE …   the environment's settings; rewards are told in both conventions
    start                  agents x y velocity_x velocity_y …, landmarks x y …, goals: all of the state
    act                    discrete: an action per agent; continuous: control and words of all agents
    agents, observed       after the step: places and velocities; all observations one behind the other
    pettingzoo, original   each agent's reward of the step in that convention
"""
import pathlib
import sys

import numpy as np
from reference_codes import MOVES, Mpe2, Original, goals

HERE = pathlib.Path(__file__).resolve().parent
STEPS = 25

# For each scenario: cases of (our settings, mpe2's settings, the original's sizes).
SIZES = {"simple_spread": dict(num_agents=3, num_landmarks=3),
         "simple_tag": dict(num_agents=4, num_landmarks=2, num_good_agents=1, num_adversaries=3),
         "simple_adversary": dict(num_agents=3, num_landmarks=2),
         "simple_speaker_listener": dict(num_agents=2, num_landmarks=3),
         "simple_reference": dict(num_agents=2, num_landmarks=3)}
OTHER_SIZES = {"simple_spread": ("num_agents=4", dict(N=4), dict(num_agents=4, num_landmarks=4)),
               "simple_tag": ("num_predators=4 num_prey=2 num_obstacles=3",
                              dict(num_adversaries=4, num_good=2, num_obstacles=3),
                              dict(num_agents=6, num_landmarks=3, num_good_agents=2, num_adversaries=4)),
               "simple_adversary": ("num_good_agents=3", dict(N=3), dict(num_agents=4, num_landmarks=3))}


def short(values):
    """Six decimals at most, without what a reader of numbers does not need."""
    texts = [f"{value:.6f}".rstrip("0").rstrip(".") for value in values]
    return " ".join(text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text for text in texts)


def motion(world):
    return [x for agent in world.agents for x in (*agent.state.p_pos, *agent.state.p_vel)]


def record_episode(code, original, continuous, seed, crowd, lines):
    rng = np.random.default_rng(seed)
    code.reset(seed)
    code.crowd(crowd)
    world = code.world
    lines.append("start")
    lines.append("agents " + " ".join(repr(float(x)) for x in motion(world)))
    lines.append("landmarks " + " ".join(repr(float(x)) for lm in world.landmarks for x in lm.state.p_pos))
    lines.append("goals " + " ".join(str(goal) for goal in goals(world, code.scenario)))
    lines.append("observed " + short(np.concatenate(code.observations())))
    for step in range(STEPS):
        actions = code.random_action(rng, continuous)
        if step % 8 < 4:  # they gather, so that they meet
            for agent, action in zip(world.agents, actions):
                if "move" in action and not continuous:
                    x, y = agent.state.p_pos
                    action["move"] = (1 if x > 0 else 2) if abs(x) > abs(y) else (3 if y > 0 else 4)
        if continuous:
            numbers = [x for action in actions for x in (*action.get("move", ()), *action.get("word", ()))]
        else:
            numbers = [action.get("move", 0) + action.get("word", 0) * (5 if agent.movable else 1)
                       for agent, action in zip(world.agents, actions)]
        rewards = code.step(actions)
        lines.append("act " + short(numbers))
        lines.append("agents " + short(motion(world)))
        if step % 4 == 0 or step == STEPS - 1:
            lines.append("observed " + short(np.concatenate(code.observations())))
        if isinstance(code, Mpe2):
            lines.append("pettingzoo " + short(rewards))
            lines.append("original " + short(original.rewards_in(world)))
        else:
            lines.append("original " + short(rewards))
    assert code.over


def write_episodes():
    for scenario, sizes in SIZES.items():
        lines = ["# record.py episodes: mpe2 1.1.1; marlbenchmark/on-policy de66d7a."]

        def case(settings, code, original, continuous, episodes):
            lines.append(f"case continuous_actions={str(continuous).lower()} {settings}".strip())
            for seed, crowd in episodes:
                record_episode(code, original, continuous, seed, crowd, lines)

        same_sizes = Original(scenario, **sizes)
        case("", Mpe2(scenario), same_sizes, False, [(1, 1.0), (2, 0.4)])
        case("", Mpe2(scenario, continuous=True), same_sizes, True, [(3, 0.5)])
        case("dynamics=ORIGINAL", Original(scenario, **sizes), None, False, [(4, 0.6)])
        if scenario in OTHER_SIZES:
            ours, theirs, original_sizes = OTHER_SIZES[scenario]
            case(ours, Mpe2(scenario, **theirs), Original(scenario, **original_sizes), False, [(5, 0.5)])
        if scenario in ("simple_spread", "simple_reference"):
            case("local_ratio=0.25", Mpe2(scenario, local_ratio=0.25), same_sizes, False, [(6, 0.5)])
        path = HERE / f"{scenario}.txt"
        path.write_text("\n".join(lines) + "\n")
        print(path.name, path.stat().st_size, "bytes")


def towards(agent, target, original):
    """The move after which the agent, left alone, would come to rest nearest to the target."""
    velocity, place = agent.state.p_vel, agent.state.p_pos
    first = 0 if original else 0.1 * velocity
    rests = [place + first + 0.4 * (0.75 * velocity + 0.5 * np.array(move)) for move in MOVES]
    return int(np.argmin([np.sum((rest - target) ** 2) for rest in rests]))


def greedy(code, original):
    landmarks = np.array([landmark.state.p_pos for landmark in code.world.landmarks])
    moves = []
    for agent in code.world.agents:
        nearest = landmarks[np.argmin(np.sum((landmarks - agent.state.p_pos) ** 2, axis=1))]
        moves.append({"move": towards(agent, nearest, original)})
    return moves


def say_and_go(code, original):
    agents, landmarks, numbers = code.world.agents, code.world.landmarks, goals(code.world, code.scenario)
    if code.scenario == "simple_speaker_listener":
        return [{"word": numbers[0]}, {"move": towards(agents[1], landmarks[numbers[0]].state.p_pos, original)}]
    return [{"word": numbers[a], "move": towards(agents[a], landmarks[numbers[1 - a]].state.p_pos, original)}
            for a in range(2)]


def print_returns(episodes):
    """Mean over episodes of each group's mean return, and its standard error."""
    groups = {"simple_tag": (3,), "simple_adversary": (1,), "simple_speaker_listener": (1,)}
    for scenario, sizes in SIZES.items():
        players = {"random": None}
        if scenario == "simple_spread":
            players["greedy"] = greedy
        if scenario in ("simple_speaker_listener", "simple_reference"):
            players["say_and_go"] = say_and_go
        for name, make in (("mpe2", lambda: Mpe2(scenario)), ("original", lambda: Original(scenario, **sizes))):
            for player, play in players.items():
                code, rng, totals = make(), np.random.default_rng(1), []
                for episode in range(episodes):
                    code.reset(1000 + episode)
                    total = 0
                    for _ in range(STEPS):
                        actions = play(code, name == "original") if play else code.random_action(rng, False)
                        total = total + np.array(code.step(actions))
                    totals.append([part.mean() for part in np.split(total, groups.get(scenario, ()))])
                totals = np.array(totals)
                mean, error = totals.mean(axis=0), totals.std(axis=0, ddof=1) / np.sqrt(episodes)
                print(scenario, name, player, *(f"{m:.3f} ± {e:.3f}" for m, e in zip(mean, error)), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "episodes":
        write_episodes()
    else:
        print_returns(int(sys.argv[2]) if len(sys.argv) > 2 else 10000)
