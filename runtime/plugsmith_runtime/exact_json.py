"""Exact JSON: a reader and a writer that never change a value in silence, at orjson's speed."""

from __future__ import annotations

import json
from typing import Any

import orjson

from .errors import DecodeError, EncodeError
from .json_values import find_unencodable

# Any run of 19 digits may be an integer beyond 64 bits, which orjson would round to a float. With every digit mapped to
# "0" one substring search finds all of them.
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_LONG_INTEGER = b"0" * 19


# Of what orjson can write, these are spelt otherwise than by pydantic, and hold no JSON value.
_JSON_VALUES_ONLY = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


class InvalidJsonError(DecodeError):
    """Bytes that are not JSON; the message says why and where, and holds none of the input."""


def loads(data: bytes) -> Any:
    """Read JSON with exact integers of any size.

    Args:
        data: UTF-8 text.

    Raises:
        InvalidJsonError: the text is no JSON, holds NaN or half a surrogate pair, or is nested too deeply.
    """
    try:
        value = orjson.loads(data)
        if _LONG_INTEGER in data.translate(_DIGITS_TO_ZERO):
            value = json.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidJsonError(f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise InvalidJsonError("nested too deeply") from None
    except ValueError:
        raise InvalidJsonError("an integer has too many digits") from None
    return value


def dumps(value: Any, dates: bool = False) -> bytes:
    """Write JSON values as text.

    Args:
        value: dicts with string keys, lists, strings, numbers, booleans and None.
        dates: write dates, which YAML knows, as strings.

    Raises:
        EncodeError: a value has no JSON form, for example NaN or half a surrogate pair.
    """
    try:
        text = orjson.dumps(value, option=None if dates else _JSON_VALUES_ONLY)
    except TypeError as error:
        return _dumps_with_long_integers(value, str(error))
    # orjson writes NaN and the infinities as null.
    if b"null" in text and _contains_nan((value,)) and (found := find_unencodable(value)):
        raise EncodeError(*found)
    return text


def _contains_nan(parts: Any) -> bool:
    """Whether NaN or an infinity is among the parts; quicker than `find_unencodable`, which names its path."""
    for part in parts:
        kind = type(part)
        if kind is float:
            if part - part != 0.0:
                return True
        elif (kind is dict and _contains_nan(part.values())) or (kind is list and _contains_nan(part)):
            return True
    return False


def _dumps_with_long_integers(value: Any, reason: str) -> bytes:
    """Write what orjson cannot, integers beyond 64 bits, or say which value is to blame."""
    if find_unencodable(value) and (found := find_unencodable(_without_long_integers(value))):
        raise EncodeError(*found)
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        raise EncodeError("", reason) from None


def _without_long_integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_long_integers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_long_integers(part) for part in value]
    return 0 if type(value) is int and value.bit_length() > 63 else value
