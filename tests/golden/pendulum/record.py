#!/usr/bin/env python3
"""record.py > gymnasium.txt: steps of Gymnasium's Pendulum-v1 (pip install gymnasium), a line each: torque, angle and
speed before the step, reward, angle and speed after it. An empty line ends an episode. Recorded with version 1.4.0."""

import gymnasium
import numpy as np

environment = gymnasium.make("Pendulum-v1", max_episode_steps=10**6)
random = np.random.RandomState(7)
# Hanging, upright, fast, beyond a full turn.
for angle, speed in ((np.pi, 0.0), (0.05, -0.1), (-2.0, 7.9), (9.0, -3.0)):
    environment.reset(seed=1)
    state = environment.unwrapped
    state.state = np.array([angle, speed])
    for _ in range(25):
        # Some torques are beyond what the motor has.
        torque = random.uniform(-2.5, 2.5)
        before = state.state.copy()
        _, reward, _, _, _ = environment.step(np.array([torque]))
        print(" ".join(repr(float(x)) for x in (torque, *before, reward, *state.state)))
    print()
