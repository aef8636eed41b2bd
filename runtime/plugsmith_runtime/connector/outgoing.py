"""From the framework's objects to the plain data that travels."""

from __future__ import annotations

import logging
from base64 import b64encode
from typing import Any

from pydantic import BaseModel, RootModel
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ..errors import EncodeError

logger = logging.getLogger(__name__)

LEAVES = frozenset({str, int, float, bool, type(None)})
"""The types of values that travel as they are."""
_left_out: set[tuple[str, type]] = set()


def payload_data(payload: Any) -> Any:
    """Make plain data of a payload.

    Its fields are walked rather than dumped: in some releases they hold maps that copy on write, which pydantic takes
    for empty.

    Raises:
        EncodeError: a field holds an object that has no JSON form.
    """
    if not isinstance(payload, BaseModel) or isinstance(payload, RootModel):
        return _named("payload", payload)
    return {
        name: value if type(value) in LEAVES else _named(f"payload.{name}", value) for name, value in _fields(payload)
    }


def context_data(context: Any) -> dict[str, Any]:
    """Make plain data of a plugin context; what is empty is left out, and objects without a JSON form in its maps are.

    The gateway puts objects of its own there, such as the tool that is called; a plugin that nobody could ask because
    of one of them would help nobody.
    """
    shared = _entries("", dict(_fields(context.global_context)))
    data = {"global_context": {name: value for name, value in shared.items() if value is not None and value != {}}}
    for name in ("state", "metadata"):
        if values := getattr(context, name, None):
            data[name] = _entries(f"{name}.", values)
    return data


def plain(value: Any) -> Any:
    """Make plain data of any value: maps, lists, models, bytes (as base64), and what pydantic can write as JSON.

    Raises:
        TypeError, ValueError: an object has no JSON form.
    """
    kind = type(value)
    if kind in LEAVES:
        return value
    if isinstance(value, dict):
        # Their items are asked for by the method: the storage of maps that copy on write is empty.
        return {
            name if type(name) is str else str(to_jsonable_python(name)): part if type(part) in LEAVES else plain(part)
            for name, part in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [part if type(part) in LEAVES else plain(part) for part in value]
    if isinstance(value, RootModel):
        return plain(value.root)
    if isinstance(value, BaseModel):
        return plain(value.model_dump(warnings=False))
    if isinstance(value, bytes):
        # As MCP writes binary resources; pydantic would fail on all that is no UTF-8.
        return b64encode(value).decode()
    return to_jsonable_python(value)


def _fields(model: BaseModel) -> list[tuple[str, Any]]:
    extra = model.__pydantic_extra__
    return [*model.__dict__.items(), *extra.items()] if extra else list(model.__dict__.items())


def _named(path: str, value: Any) -> Any:
    try:
        return plain(value)
    except (PydanticSerializationError, TypeError, ValueError, RecursionError) as error:
        raise EncodeError(path, f"holds an object that has no JSON form ({type(error).__name__})") from error


def _entries(where: str, values: dict[str, Any]) -> dict[str, Any]:
    data = {}
    for name, value in values.items():
        if type(value) in LEAVES:
            data[name] = value
        elif isinstance(value, dict):
            data[name] = _entries(f"{where}{name}.", value)
        else:
            try:
                data[name] = plain(value)
            except (PydanticSerializationError, TypeError, ValueError, RecursionError):
                _tell_left_out(f"{where}{name}", type(value))
    return data


def _tell_left_out(path: str, kind: type) -> None:
    if (path, kind) not in _left_out:
        _left_out.add((path, kind))
        logger.warning("the context's %s is not sent to plugins: %s has no JSON form", path, kind.__name__)
