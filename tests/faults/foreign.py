"""Files as another version of Troupe would write them: safetensors taken apart and put together by the format's own
description, whole and with the checksums of their new contents."""

import json
import struct


def crc32c(data):
    """Castagnoli's polynomial, reflected (RFC 3720)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def of_another_version(content, change=None):
    """The file with `change(header)` done to its header, by default: a format nine versions on."""
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    metadata = header["__metadata__"]
    if change is None:
        metadata["format"] = metadata["format"].split("/")[0] + "/9"
    else:
        change(header)
    metadata.pop("header_checksum", None)
    canonical = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    metadata["header_checksum"] = f"{crc32c(canonical.encode()):08x}"
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[8 + size :]
