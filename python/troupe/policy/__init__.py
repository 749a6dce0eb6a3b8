"""Trained actors in NumPy: what `learner export` and a run's actors/*.safetensors hold, and exported ONNX files.

policy = troupe.load_policy("runs/traffic_grid/actors/best.safetensors")
actions, state = policy.act(observations)               # observations: {agent: [O]}; an episode begins
actions, state = policy.act(observations, state=state)  # the next step
"""

from troupe.policy.group import Acted, GroupPolicy
from troupe.policy.load import load_policy
from troupe.policy.policy import Policy
from troupe.policy.spec import PolicySpec, StackSpec

__all__ = ["Acted", "GroupPolicy", "Policy", "PolicySpec", "StackSpec", "load_policy"]
