"""Protobuf's text format as flat settings, the way `--set` names them."""

from __future__ import annotations

import ast
import re

_TOKEN = re.compile(
    r"""\s*(?:\#[^\n]*\n\s*)*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[{}<>:;,\[\]]|[^\s{}<>:;,\[\]"'\#]+)"""
)
_OPENING, _CLOSING, _BETWEEN = ("{", "<"), ("}", ">"), (",", ";", "[", "]")
_DEEPEST = 64


def parse_settings(text: str) -> dict[str, str]:
    """{"ppo.clip": "0.2", "environment.settings.size": "5", "policy.hidden_sizes": "64,64"} of an experiment, in its
    order. ValueError with the line where it is no text format."""
    settings: dict[str, str] = {}
    for path, value in _Reader(text).fields("", 0):
        settings[path] = f"{settings[path]},{value}" if path in settings else value
    return settings


class _Reader:
    def __init__(self, text: str):
        self._text, self._at = text, 0

    def fields(self, prefix: str, depth: int) -> list[tuple[str, str]]:
        """Those up to the end of the message, which is read over."""
        if depth > _DEEPEST:
            raise self._wrong("messages nested too deep")
        found: list[tuple[str, str]] = []
        while (name := self._next()) not in ("", *_CLOSING):
            if name in _BETWEEN:
                continue
            path = f"{prefix}{name}"
            word = self._next()
            if word == ":":
                word = self._next()
            if word in _OPENING:
                found += _of_map(path, self.fields("", depth + 1))
            elif word == "[":
                while (word := self._next()) not in ("]", ""):
                    if word != ",":
                        found.append((path, _plain(word)))
            elif word == "" or word in _CLOSING:
                raise self._wrong(f'"{path}" has no value')
            else:
                found.append((path, _plain(word)))
        if (name == "") != (depth == 0):
            raise self._wrong("braces do not match")
        return found

    def _next(self) -> str:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            if re.sub(r"#[^\n]*", "", self._text[self._at :]).strip():
                raise self._wrong("a text that does not end")
            return ""
        self._at = match.end()
        return match[1]

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"line {self._text.count(chr(10), 0, self._at) + 1}: {what}")


def _of_map(path: str, fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A map's entry is a message of key and value."""
    if fields and fields[0][0] == "key":
        key = fields[0][1]
        return [(f"{path}.{key}{name.removeprefix('value')}", value) for name, value in fields[1:]]
    return [(f"{path}.{name}", value) for name, value in fields]


def _plain(word: str) -> str:
    return str(ast.literal_eval(word)) if word[0] in "\"'" else word
