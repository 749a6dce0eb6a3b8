"""Exported ONNX files as networks (docs/export.md), through onnxruntime, which the package does not bring."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from troupe.policy.network import Floats

_NEARLY_ONE = 1 - 1e-12


class OnnxNetwork:
    """One group, whose actions lie between `low_high`: a file, or a file of each parameter set. Of Gaussians the
    outputs are means, then log deviations."""

    def __init__(self, paths: Sequence[Path], low_high: tuple[Floats, Floats]):
        self._sessions: list[Any] = []
        self._session_of_agent: dict[int, int] = {}
        self._low_high = low_high
        for path in paths:
            session = _open(path)
            for agent in json.loads(session.get_modelmeta().custom_metadata_map["agent_indices"]):
                self._session_of_agent[agent] = len(self._sessions)
            self._sessions.append(session)

    def outputs(
        self,
        observations: Floats,
        heard: Floats,
        agents: NDArray[np.int64],
        masks: NDArray[np.bool_] | None,
        state: Floats,
    ) -> tuple[Floats, Floats]:
        try:
            of_row = np.array([self._session_of_agent[agent] for agent in agents.tolist()], np.int64)
        except KeyError as error:
            raise ValueError(f"agents: none of the files is of agent {error}") from error
        outputs: Floats | None = None
        after = state.copy()
        for s in np.unique(of_row):
            rows = of_row == s
            found = self._run(
                self._sessions[s], observations[rows], heard[rows], agents[rows], masks, rows, state[rows]
            )
            parts = [found[name] for name in ("logits", "values", "mean", "log_std") if name in found]
            part = np.concatenate(parts or [_before_tanh(found["action"], *self._low_high)], axis=1)
            if outputs is None:
                outputs = np.empty((len(observations), part.shape[1]), np.float32)
            outputs[rows] = part
            kept = [found[name] for name in ("state_out", "message") if name in found]
            after[rows] = np.concatenate(kept, axis=1) if kept else state[rows]
        assert outputs is not None
        return outputs, after

    @staticmethod
    def _run(
        session: Any,
        observations: Floats,
        heard: Floats,
        agents: NDArray[np.int64],
        masks: NDArray[np.bool_] | None,
        rows: NDArray[np.bool_],
        state: Floats,
    ) -> dict[str, Floats]:
        inputs = {given.name: given for given in session.get_inputs()}
        given: dict[str, NDArray[Any]] = {"observation": observations, "heard": heard, "agent": agents}
        if "state_in" in inputs:
            given["state_in"] = state[:, : inputs["state_in"].shape[1]]
        if "action_mask" in inputs:
            size = inputs["action_mask"].shape[1]
            given["action_mask"] = np.ones((len(observations), size), bool) if masks is None else masks[rows]
        given = {name: value for name, value in given.items() if name in inputs}
        return dict(zip([output.name for output in session.get_outputs()], session.run(None, given)))


def metadata_of(path: Path) -> dict[str, str]:
    return dict(_open(path).get_modelmeta().custom_metadata_map)


def _open(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError("ONNX files need onnxruntime: pip install onnxruntime") from error
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    if session.get_modelmeta().custom_metadata_map.get("format") != "troupe-onnx/1":
        raise ValueError(f'{path}: metadata "format" is not "troupe-onnx/1"')
    return session


def _before_tanh(action: Floats, low: Floats, high: Floats) -> Floats:
    """What a deterministic actor's network put out, whose file gives the action alone."""
    unit = 2 * (action.astype(np.float64) - low) / (high.astype(np.float64) - low) - 1
    return np.arctanh(np.clip(unit, -_NEARLY_ONE, _NEARLY_ONE)).astype(np.float32)
