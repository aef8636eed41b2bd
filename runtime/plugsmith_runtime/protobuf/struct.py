"""google.protobuf.Struct to and from JSON values, straight over the message's fields for speed.

The same rules as google.protobuf.json_format, but strict: integral numbers are read back as integers up to 2^53, and
what a double or JSON cannot hold is refused, never changed.
"""

from __future__ import annotations

from typing import Any, Protocol

from ..errors import DecodeError, EncodeError, PlugsmithError
from ..json_values import LIST_DEPTH, MAP_DEPTH, MAX_EXACT_INTEGER, MAX_MESSAGE_DEPTH, find_unencodable


class Struct(Protocol):
    """A google.protobuf.Struct, of whatever descriptor pool."""

    @property
    def fields(self) -> Any: ...

    def SetInParent(self) -> None: ...


class ListValue(Protocol):
    """A google.protobuf.ListValue."""

    @property
    def values(self) -> Any: ...

    def SetInParent(self) -> None: ...


class Value(Protocol):
    """A google.protobuf.Value."""

    number_value: float
    string_value: str
    bool_value: bool
    null_value: Any

    @property
    def struct_value(self) -> Any: ...

    @property
    def list_value(self) -> Any: ...

    def WhichOneof(self, oneof_group: Any) -> Any: ...


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
        DecodeError: a number is NaN or infinite.
    """
    try:
        return _read_map(message)
    except _NotFiniteError as error:
        inner = "".join(reversed(error.steps))
        raise DecodeError(f"{path + inner if path else inner[1:]}: NaN and infinity are not JSON") from None


def to_struct(values: dict[str, Any], message: Struct, path: str) -> None:
    """Write a map into a Struct; the Struct counts as set afterwards, even when the map is empty.

    Args:
        values: JSON values.
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
        _write_map(values, message, MAX_MESSAGE_DEPTH)
    except (_ConversionError, UnicodeEncodeError, TypeError):
        if not isinstance(values, dict):
            raise EncodeError(path, f"not a map but {type(values).__name__}") from None
        raise _encode_error(values, path) from None


def _encode_error(values: Any, path: str) -> EncodeError:
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
            return int(number) if -MAX_EXACT_INTEGER <= number <= MAX_EXACT_INTEGER else number
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


def _write_map(values: dict[str, Any], message: Struct, depth_left: int) -> None:
    depth_left -= MAP_DEPTH
    if depth_left < 0:
        raise _ConversionError
    fields = message.fields
    for name, value in values.items():
        if type(value) is str:
            fields[name].string_value = value
        else:
            _write_value(value, fields[name], depth_left)


def _write_value(value: Any, message: Value, depth_left: int) -> None:
    kind = type(value)
    if kind is str:
        message.string_value = value
    elif kind is dict:
        if not value:
            message.struct_value.SetInParent()
        _write_map(value, message.struct_value, depth_left)
    elif kind is bool:
        message.bool_value = value
    elif value is None:
        message.null_value = 0  # NULL_VALUE; the enum's module is not worth an import
    elif kind is list:
        depth_left -= LIST_DEPTH
        if depth_left < 0:
            raise _ConversionError
        if not value:
            message.list_value.SetInParent()
        parts = message.list_value.values
        for part in value:
            _write_value(part, parts.add(), depth_left)
    elif kind is int:
        if not -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER:
            raise _ConversionError
        message.number_value = value
    elif kind is float:
        if value - value != 0.0:
            raise _ConversionError
        message.number_value = value
    else:
        _write_value(_to_json_value(value), message, depth_left)


def _to_json_value(value: Any) -> Any:
    """Take an instance of a subclass for what it extends, so that enums of strings and ordered maps can be written."""
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
