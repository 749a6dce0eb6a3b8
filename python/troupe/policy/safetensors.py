"""Reads safetensors files: an eight-byte length, a JSON header, then the tensors' bytes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LARGEST_HEADER = 100_000_000  # bytes, as the format allows
_TYPES = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "|u1"}


def read_safetensors(path: str | os.PathLike[str]) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Tensors by name, in the file's order, and the metadata. ValueError naming the file and what is wrong with it."""
    data = Path(path).read_bytes()
    if len(data) < 8:
        raise ValueError(f"{path}: {len(data)} bytes are no safetensors file")
    length = int.from_bytes(data[:8], "little")
    if length > min(_LARGEST_HEADER, len(data) - 8):
        raise ValueError(
            f"{path}: a header of {length} bytes in a file of {len(data)}; cut short, or no safetensors file"
        )
    try:
        header = json.loads(data[8 : 8 + length])
    except ValueError as error:
        raise ValueError(f"{path}: the header is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise ValueError(f"{path}: the header is not a JSON object")
    metadata = header.pop("__metadata__", {})
    body = memoryview(data)[8 + length :]
    in_order = sorted(header.items(), key=lambda entry: entry[1].get("data_offsets", [0])[0])
    return {name: _tensor(path, name, about, body) for name, about in in_order}, metadata


def _tensor(path: str | os.PathLike[str], name: str, about: dict[str, Any], body: memoryview) -> NDArray[Any]:
    try:
        kind = np.dtype(_TYPES[about["dtype"]])
        shape = [int(size) for size in about["shape"]]
        begin, end = about["data_offsets"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f'{path}: tensor "{name}": {error!r} in its header') from error
    count = int(np.prod(shape, dtype=np.int64))
    if min(shape, default=0) < 0 or not 0 <= begin <= end <= len(body) or end - begin != count * kind.itemsize:
        raise ValueError(f'{path}: tensor "{name}": bytes {begin} to {end} do not hold {shape} of {about["dtype"]}')
    return np.frombuffer(body[begin:end], kind).reshape(shape)
