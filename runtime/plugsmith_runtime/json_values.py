"""JSON values: what JSON and a protobuf Struct can hold, and where a value holds something else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

MAX_EXACT_INTEGER = 1 << 53
"""Up to here, and down to its negative, every integer has a double of its own."""

MAX_MESSAGE_DEPTH = 90
"""Protobuf parsers stop at 100 messages inside each other; what wraps the value takes some of them."""
MAP_DEPTH = 3
"""Messages that a map takes inside each other: the entry, the Value and the Struct."""
LIST_DEPTH = 2
"""The same of a list: the Value and the ListValue."""

# orjson gives up at 254 levels and pydantic at 255; what wraps the value takes some of them.
_MAX_JSON_DEPTH = 200
_MAX_SHOWN_KEY_CHARS = 64


def find_unencodable(value: Any, *, integers: Literal["exact", "double"] = "exact") -> tuple[str, str] | None:
    """Find the first part of a value that cannot travel.

    Args:
        value: what shall be written: maps, lists, strings, numbers, booleans and None, in each other.
        integers: what the wire makes of integers: "exact" keeps 64 bits (JSON), "double" keeps 53 (protobuf Struct).

    Returns:
        The part's path, for example "modified_payload.args.x[3]" (empty for the value itself), and what is wrong with
        it in words; None when everything can travel.
    """
    double = integers == "double"
    limit = MAX_MESSAGE_DEPTH if double else _MAX_JSON_DEPTH
    steps: list[Any] = []
    # A stack of our own: the value may be nested deeper than Python's, or hold itself.
    stack: list[Iterator[tuple[Any, Any]]] = [iter([(None, value)])]
    depths = [0]
    while stack:
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
            depths.pop()
            if steps:
                steps.pop()
            continue
        step, part = item
        path = [*steps, step] if len(stack) > 1 else []
        if isinstance(part, dict):
            reason = _key_reason(part)
            children: Iterator[tuple[Any, Any]] = iter(part.items())
            cost = MAP_DEPTH if double else 1
        elif isinstance(part, (list, tuple)):
            reason = None
            children = enumerate(part)
            cost = LIST_DEPTH if double else 1
        else:
            reason = _scalar_reason(part, double)
            if reason is not None:
                return _path(path), reason
            continue
        if reason is None and depths[-1] + cost > limit:
            reason = "nested too deep"
        if reason is not None:
            return _path(path), reason
        if len(stack) > 1:
            steps.append(step)
        stack.append(children)
        depths.append(depths[-1] + cost)
    return None


def replace_surrogates(text: str) -> str:
    """A text with question marks for its lone surrogates, which UTF-8 cannot write."""
    return text.encode("utf-8", "replace").decode()


def _scalar_reason(value: Any, double: bool) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _text_reason(value)
    if isinstance(value, int):
        if double:
            fits = -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER
            return None if fits else "integer beyond 2^53 cannot travel as a protobuf number"
        return None if -(1 << 63) <= value < 1 << 64 else "integer beyond 64 bits"
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN is not JSON"
        return "infinity is not JSON" if math.isinf(value) else None
    return f"object of type {type(value).__name__}"


def _key_reason(value: dict[Any, Any]) -> str | None:
    for key in value:
        if not isinstance(key, str):
            return f"key is not a string but {type(key).__name__}"
        if _text_reason(key):
            return "lone surrogate in a key"
    return None


def _text_reason(value: str) -> str | None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return "lone surrogate"
    return None


def _path(steps: list[Any]) -> str:
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step.isidentifier() and len(step) <= _MAX_SHOWN_KEY_CHARS:
            path += f".{step}" if path else step
        else:
            shown = step if len(step) <= _MAX_SHOWN_KEY_CHARS else step[:_MAX_SHOWN_KEY_CHARS] + "..."
            import json

            path += f"[{json.dumps(shown)}]"
    return path
