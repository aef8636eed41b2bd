"""From plain data to the bytes of a google.protobuf.Struct without making messages, which is what costs.

It writes what nearly all data is made of. The rest (text that is no UTF-8, numbers that a double does not hold, depth,
other types) it leaves to `struct`, which knows what to do with each.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct as Layout
from typing import Any, TypeVar

from ..errors import PlugsmithError
from ..json_values import EXACT_INTEGER, LIST_LEVELS, MAP_LEVELS, MESSAGE_LEVELS

K = TypeVar("K")

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
# Whole values that come often; `dict` stands for an empty one.
_CONSTANTS: dict[Any, bytes] = {True: _TRUE, False: _FALSE, None: _NULL, dict: _MAP + b"\x00"}
_BYTE = [bytes((number,)) for number in range(128)]
# By length: how an entry begins, and what stands before a text, a map and a list in one, while all lengths are short.
_SHORT = 100
_ENTRIES = [_ENTRY + length for length in _BYTE]
_STRINGS, _MAPS, _LISTS = (
    [_BYTE[size + 2] + tag + _BYTE[size] for size in range(_SHORT)] for tag in (_STRING, _MAP, _LIST)
)
_double: Callable[[float], bytes] = Layout("<d").pack

# The same few keys come in every call; longer ones, and more of them, are not kept.
_MOST, _LONG = 1000, 64
_keys: dict[str, bytes] = {}
_numbers: dict[str, bytes] = {}
_constants: dict[tuple[str, Any], bytes] = {}


class NeedsSlowPathError(PlugsmithError):
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
        NeedsSlowPathError: it holds something that `struct.to_struct` must write, or refuse.
    """
    try:
        return _map(values, MESSAGE_LEVELS)
    except (UnicodeEncodeError, AttributeError):
        raise NeedsSlowPathError from None


def _map(values: dict[str, Any], room: int) -> bytes:
    room -= MAP_LEVELS
    if room < 0:
        raise NeedsSlowPathError
    parts: list[bytes] = []
    for name, value in values.items():
        kind = type(value)
        if kind is str:
            tag, heads, written = _STRING, _STRINGS, value.encode()
        elif kind is bool or value is None:
            parts.append(_constants.get((name, value)) or _constant(name, value))
            continue
        elif kind is dict:
            if not value and room >= MAP_LEVELS:
                parts.append(_constants.get((name, dict)) or _constant(name, dict))
                continue
            tag, heads, written = _MAP, _MAPS, _map(value, room)
        elif (kind is int and -EXACT_INTEGER <= value <= EXACT_INTEGER) or (kind is float and value - value == 0.0):
            parts += (_numbers.get(name) or _number(name), _double(value))
            continue
        elif kind is list:
            tag, heads, written = _LIST, _LISTS, _list(value, room)
        else:
            raise NeedsSlowPathError
        key = _keys.get(name) or _key(name)
        size = len(written)
        if size < _SHORT and len(key) < 20:
            parts += (_ENTRIES[len(key) + size + 3], key, heads[size], written)
        else:
            length = varint(size)
            inner = varint(size + len(length) + 1)
            outer = varint(len(key) + len(inner) + 1 + len(length) + size)
            parts += (_ENTRY, outer, key, inner, tag, length, written)
    return b"".join(parts)


def _key(name: str) -> bytes:
    text = name.encode()
    return _kept(_keys, name, name, _KEY + varint(len(text)) + text + _VALUE)


def _constant(name: str, value: Any) -> bytes:
    key, written = _key(name), _CONSTANTS[value]
    return _kept(_constants, (name, value), name, _ENTRY + varint(len(key) + 3) + key + _BYTE[2] + written)


def _number(name: str) -> bytes:
    """All of an entry that comes before a number's eight bytes."""
    key = _key(name)
    return _kept(_numbers, name, name, _ENTRY + varint(len(key) + 10) + key + _BYTE[9] + _NUMBER)


def _kept(known: dict[K, bytes], key: K, name: str, written: bytes) -> bytes:
    if len(known) < _MOST and len(name) < _LONG:
        known[key] = written
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
        written = _list(value, room)
        return _LIST + varint(len(written)) + written
    if (kind is int and -EXACT_INTEGER <= value <= EXACT_INTEGER) or (kind is float and value - value == 0.0):
        return _NUMBER + _double(value)
    raise NeedsSlowPathError


def _list(values: list[Any], room: int) -> bytes:
    room -= LIST_LEVELS
    if room < 0:
        raise NeedsSlowPathError
    parts: list[bytes] = []
    for value in values:
        written = _value(value, room)
        parts += (_ITEM, varint(len(written)), written)
    return b"".join(parts)
