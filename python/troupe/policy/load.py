"""From files to policies."""

from __future__ import annotations

import dataclasses
import json
import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from troupe.policy.group import GroupPolicy
from troupe.policy.network import DenseNetwork, Floats, Network
from troupe.policy.onnx import OnnxNetwork, metadata_of
from troupe.policy.policy import Policy
from troupe.policy.safetensors import read_safetensors
from troupe.policy.spec import PolicySpec

_FORMAT = "troupe-actors/1"


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """Of an actor file (safetensors), an exported ONNX file, or a folder of those (`learner export --format=onnx`).
    ValueError naming the file and what is wrong with it; OSError where it cannot be read; ImportError for ONNX without
    onnxruntime."""
    path = Path(path)
    if path.is_dir() or path.suffix == ".onnx":
        return _load_onnx(path)
    tensors, metadata = read_safetensors(path)
    written = metadata.get("format", "")
    if written != _FORMAT and written.startswith("troupe-actors/"):
        raise ValueError(
            f'{path}: written by another version of Troupe: its format is "{written}", this one reads "{_FORMAT}"'
        )
    if written != _FORMAT:
        raise ValueError(f'{path}: not an actor file: metadata "format" is not "{_FORMAT}"')
    try:
        groups = {}
        for key in metadata:
            if key.startswith("policy."):
                spec = PolicySpec.parse(metadata[key])
                groups[spec.group] = _group(spec, metadata, tensors)
        if not groups:
            raise ValueError("no policy in it")
        return _policy(groups, metadata)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _group(spec: PolicySpec, metadata: Mapping[str, str], tensors: Mapping[str, Floats]) -> GroupPolicy:
    weights: dict[str, Floats] = {}
    for name, shape in spec.shapes().items():
        tensor = tensors.get(f"{spec.group}/{name}")
        if tensor is None or tensor.shape != shape or tensor.dtype != "float32":
            came = "nothing" if tensor is None else f"{tensor.dtype} {list(tensor.shape)}"
            raise ValueError(f'tensor "{spec.group}/{name}": expected float32 {list(shape)}, came {came}')
        weights[name] = tensor
    log_std = weights.pop("log_std", None)
    spaces = json.loads(metadata.get(f"spaces.{spec.group}", "{}"))
    return _named(spec, DenseNetwork(spec, weights), spaces, metadata, log_std)


def _named(
    spec: PolicySpec, network: Network, spaces: Mapping[str, Any], metadata: Mapping[str, str], log_std: Floats | None
) -> GroupPolicy:
    return GroupPolicy(
        spec=spec,
        network=network,
        agents=tuple(spaces.get("agents") or [f"{spec.group}/{i}" for i in range(spec.num_agents)]),
        observation=tuple(spaces.get("observation", ())),
        actions=tuple(spaces.get("actions", ())),
        scalars={k.removeprefix("scalar."): float(v) for k, v in metadata.items() if k.startswith("scalar.")},
        log_std=log_std,
    )


def _policy(groups: Mapping[str, GroupPolicy], metadata: Mapping[str, str]) -> Policy:
    return Policy(groups, dict(metadata), int(metadata["policy_version"]), int(metadata["env_steps"]))


def _load_onnx(path: Path) -> Policy:
    paths = sorted(path.glob("*.onnx")) if path.is_dir() else [path]
    if not paths:
        raise ValueError(f"{path}: no .onnx file in it")
    by_group: dict[str, list[Path]] = defaultdict(list)
    for file in paths:
        metadata = metadata_of(file)
        by_group[metadata["group"]].append(file)
    groups = {}
    for group, files in by_group.items():
        metadata = metadata_of(files[0])
        spec = PolicySpec.parse(metadata["policy"])
        network = OnnxNetwork(files, spec.low_high())
        # A file gives the deviations of Gaussians with the means, whatever they come from.
        if spec.has_log_std:
            spec = dataclasses.replace(spec, state_dependent_std=True)
        spaces = json.loads(metadata.get("spaces") or "{}")
        if len(spaces.get("agents", ())) != spec.num_agents:
            spaces.pop("agents", None)
        groups[group] = _named(spec, network, spaces, metadata, None)
    return _policy(groups, metadata)
