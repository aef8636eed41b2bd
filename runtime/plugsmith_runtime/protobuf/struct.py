"""Between google.protobuf.Struct and Python values, written straight over the message's fields for speed.

The same rules as google.protobuf.json_format, but strict: integral numbers are read back as integers up to 2^53, and
what a double or JSON cannot hold is refused, never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import EncodeError, PlugsmithError
from ..json_values import EXACT_INTEGER, LIST_LEVELS, MAP_LEVELS, MESSAGE_LEVELS, find_unencodable

if TYPE_CHECKING:
    from ..contract.google.protobuf.struct_pb2 import ListValue, Struct, Value


class _NotFiniteError(PlugsmithError):
    """A number of a message is NaN or infinite; collects the steps to it from the inside out."""

    def __init__(self) -> None:
        self.steps: list[str] = []


class _ConversionError(PlugsmithError):
    """A value cannot be written; its path is searched for only then."""


def from_struct(message: Struct, path: str = "") -> dict[str, Any]:
    """Read a Struct.

    Args:
        message: the Struct.
        path: what it is called in an error, for example "payload".

    Raises:
        EncodeError: a number is NaN or infinite.
    """
    try:
        return _read_map(message)
    except _NotFiniteError as error:
        inner = "".join(reversed(error.steps))
        raise EncodeError(path + inner if path else inner[1:], "NaN and infinity are not JSON") from None


def to_struct(values: dict[str, Any], message: Struct, path: str) -> None:
    """Write a map into a Struct; the Struct counts as set afterwards, even when the map is empty.

    Args:
        values: plain data.
        message: the empty Struct to fill.
        path: what the map is called in an error, for example "result".

    Raises:
        EncodeError: a value cannot be written without changing it.
    """
    try:
        if not isinstance(values, dict):
            raise _ConversionError
        if not values:
            message.SetInParent()
        _write_map(values, message, MESSAGE_LEVELS)
    except (_ConversionError, UnicodeEncodeError, TypeError):
        if not isinstance(values, dict):
            raise EncodeError(path, f"not a map but {type(values).__name__}") from None
        raise unrepresentable(values, path) from None


def unrepresentable(values: Any, path: str) -> EncodeError:
    """Say why a map could not be written."""
    inner, reason = find_unencodable(values, integers="double") or ("", "cannot be written")
    dot = "." if inner and not inner.startswith("[") else ""
    return EncodeError(f"{path}{dot}{inner}", reason)


def _read_map(message: Struct) -> dict[str, Any]:
    read: dict[str, Any] = {}
    name = ""
    fields = message.fields
    try:
        # Quicker than items(), which is written in Python.
        for name in fields:
            value = fields[name]
            # Most values are strings, and asking for one costs half of asking which kind it is.
            read[name] = value.string_value or _read_value(value)
    except _NotFiniteError as error:
        error.steps.append(f".{name}")
        raise
    return read


def _read_list(message: ListValue) -> list[Any]:
    read: list[Any] = []
    try:
        for value in message.values:
            read.append(value.string_value or _read_value(value))
    except _NotFiniteError as error:
        error.steps.append(f"[{len(read)}]")
        raise
    return read


def _read_value(message: Value) -> Any:
    number = message.number_value
    if number:
        if number.is_integer():
            return int(number) if -EXACT_INTEGER <= number <= EXACT_INTEGER else number
        # Only a finite number less itself is nothing.
        if number - number == 0.0:
            return number
        raise _NotFiniteError
    kind = message.WhichOneof("kind")
    if kind == "struct_value":
        return _read_map(message.struct_value)
    if kind == "number_value":
        return 0
    if kind == "list_value":
        return _read_list(message.list_value)
    if kind == "bool_value":
        return message.bool_value
    # What is left is null, a Value without a kind, and the empty string.
    return "" if kind == "string_value" else None


def _write_map(values: dict[str, Any], message: Struct, room: int) -> None:
    room -= MAP_LEVELS
    if room < 0:
        raise _ConversionError
    fields = message.fields
    for name, value in values.items():
        if type(value) is str:
            fields[name].string_value = value
        else:
            _write_value(value, fields[name], room)


def _write_value(value: Any, message: Value, room: int) -> None:
    kind = type(value)
    if kind is str:
        message.string_value = value
    elif kind is dict:
        if not value:
            message.struct_value.SetInParent()
        _write_map(value, message.struct_value, room)
    elif kind is bool:
        message.bool_value = value
    elif value is None:
        message.null_value = 0  # type: ignore[assignment]  # NULL_VALUE; the enum's module is not worth an import
    elif kind is list:
        room -= LIST_LEVELS
        if room < 0:
            raise _ConversionError
        if not value:
            message.list_value.SetInParent()
        parts = message.list_value.values
        for part in value:
            _write_value(part, parts.add(), room)
    elif kind is int:
        if not -EXACT_INTEGER <= value <= EXACT_INTEGER:
            raise _ConversionError
        message.number_value = value
    elif kind is float:
        if value - value != 0.0:
            raise _ConversionError
        message.number_value = value
    else:
        _write_value(_plain(value), message, room)


def _plain(value: Any) -> Any:
    """Take a subclass for what it extends, so that enums of strings and ordered maps can be written."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, dict):
        return dict(value)
    raise _ConversionError
