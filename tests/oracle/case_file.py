"""Cases as safetensors files: 8-byte header length, JSON header, tensor bytes, little-endian. Empty tensors are left
out."""

import json

import numpy as np

TYPES = {"<f4": "F32", "<f8": "F64", "<i4": "I32", "<i8": "I64", "|u1": "U8"}


def write(path, metadata, tensors):
    tensors = {name: array for name, array in tensors.items() if array.size}
    header, offset = {"__metadata__": metadata}, 0
    for name, array in tensors.items():
        header[name] = {
            "dtype": TYPES[array.dtype.str],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in tensors.values():
            file.write(np.ascontiguousarray(array).tobytes())


def read(path):
    """(metadata, name → array)."""
    with open(path, "rb") as file:
        content = file.read()
    begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:begin])
    metadata = header.pop("__metadata__")
    types = {name: dtype for dtype, name in TYPES.items()}
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        values = np.frombuffer(content[begin + first : begin + last], types[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return metadata, tensors
