#!/usr/bin/env python3
"""Environment steps per second of mpe2 by itself, as external_benchmark has it of the same served.

mpe2_alone.py [COPIES [SECONDS]]: random actions, episodes begun anew. Compare processor time with that of the server of
`PYTHONPATH=python external_benchmark --server_program="python3 -m troupe.serve"
--server_options="--pettingzoo mpe2.simple_spread_v3"`.
"""

import random
import sys
import time

from mpe2 import simple_spread_v3


def main(copies=64, seconds=5.0):
    environments = [simple_spread_v3.parallel_env() for _ in range(copies)]
    for seed, environment in enumerate(environments):
        environment.reset(seed=seed)
    agents = environments[0].possible_agents
    begin, used, steps = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begin < seconds:
        for environment in environments:
            environment.step({agent: random.randrange(5) for agent in agents})
            if not environment.agents:
                environment.reset(seed=steps)
            steps += 1
    took, used = time.perf_counter() - begin, time.process_time() - used
    print(f"{copies} copies: {steps / took:,.0f} steps/s; processor time of a step: {1e6 * used / steps:.1f} us")


if __name__ == "__main__":
    main(*[kind(word) for kind, word in zip((int, float), sys.argv[1:])])
