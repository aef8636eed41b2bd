"""From plain data to the bytes of a google.protobuf.Struct without making messages, which is what costs.

It writes what nearly all data is made of. The rest (text that is no UTF-8, numbers that a double does not hold, depth,
other types) it leaves to `struct`, which knows what to do with each.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct as Layout
from typing import Any

from .plain import EXACT_INTEGER, LIST_LEVELS, MAP_LEVELS, MESSAGE_LEVELS

# Tags: the field's number, and how its value is laid out (2: a length comes first).
_ENTRY = b"\x0a"
_KEY = b"\x0a"
_VALUE = b"\x12"
_NUMBER = b"\x11"
_STRING = b"\x1a"
_MAP = b"\x2a"
_LIST = b"\x32"
_ITEM = b"\x0a"

_TRUE, _FALSE, _NULL = b"\x20\x01", b"\x20\x00", b"\x08\x00"
_BYTE = [bytes((number,)) for number in range(128)]
_double: Callable[[float], bytes] = Layout("<d").pack

# The same few keys come in every call; longer ones, and more of them, are not kept.
_MOST, _LONG = 1000, 64
_keys: dict[str, bytes] = {}
_constants: dict[tuple[str, bool | None], bytes] = {}


class Unusual(Exception):
    """The data holds something that is left to `struct`."""


def varint(number: int) -> bytes:
    """A number from 0 as protobuf writes lengths: 7 bits in each byte, lowest first."""
    if number < 128:
        return _BYTE[number]
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)


def struct_bytes(values: dict[str, Any]) -> bytes:
    """Write a map as the bytes of a Struct.

    Args:
        values: plain data.

    Raises:
        Unusual: it holds something that `struct.to_struct` must write, or refuse.
    """
    try:
        return _map(values, MESSAGE_LEVELS)
    except (UnicodeEncodeError, AttributeError):
        raise Unusual from None


def _map(values: dict[str, Any], room: int) -> bytes:
    room -= MAP_LEVELS
    if room < 0:
        raise Unusual
    parts: list[bytes] = []
    for name, value in values.items():
        kind = type(value)
        if kind is str:
            text = value.encode()
            size = len(text)
            key = _keys.get(name) or _key(name)
            if size < 100 and len(key) < 20:
                # All lengths fit into one byte each.
                parts += (_ENTRY, _BYTE[len(key) + size + 3], key, _BYTE[size + 2], _STRING, _BYTE[size], text)
                continue
        elif kind is bool or value is None:
            parts.append(_constants.get((name, value)) or _constant(name, value))
            continue
        written = _value(value, room)
        length = varint(len(written))
        key = _keys.get(name) or _key(name)
        parts += (_ENTRY, varint(len(key) + len(length) + len(written)), key, length, written)
    return b"".join(parts)


def _constant(name: str, value: bool | None) -> bytes:
    key = _key(name)
    written = _NULL if value is None else _TRUE if value else _FALSE
    entry = _ENTRY + varint(len(key) + 3) + key + _BYTE[2] + written
    if len(_constants) < _MOST and len(name) < _LONG:
        _constants[name, value] = entry
    return entry


def _key(name: str) -> bytes:
    text = name.encode()
    written = _KEY + varint(len(text)) + text + _VALUE
    if len(_keys) < _MOST and len(name) < _LONG:
        _keys[name] = written
    return written


def _value(value: Any, room: int) -> bytes:
    kind = type(value)
    if kind is str:
        text: bytes = value.encode()
        return _STRING + varint(len(text)) + text
    if kind is bool:
        return _TRUE if value else _FALSE
    if value is None:
        return _NULL
    if kind is dict:
        written = _map(value, room)
        return _MAP + varint(len(written)) + written
    if kind is list:
        return _list(value, room - LIST_LEVELS)
    if (kind is int and -EXACT_INTEGER <= value <= EXACT_INTEGER) or (kind is float and value - value == 0.0):
        return _NUMBER + _double(value)
    raise Unusual


def _list(values: list[Any], room: int) -> bytes:
    if room < 0:
        raise Unusual
    parts: list[bytes] = []
    for value in values:
        written = _value(value, room)
        parts += (_ITEM, varint(len(written)), written)
    together = b"".join(parts)
    return _LIST + varint(len(together)) + together
