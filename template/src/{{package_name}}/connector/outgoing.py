"""From the framework's objects to the plain data that travels."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, RootModel
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ..runtime.calls import Unrepresentable

logger = logging.getLogger(__name__)

_LEAVES = frozenset({str, int, float, bool, type(None)})
_left_out: set[tuple[str, type]] = set()


def payload_data(payload: Any) -> Any:
    """Make plain data of a payload.

    Its fields are walked rather than dumped: in some releases they hold maps that copy on write, which pydantic takes
    for empty.

    Raises:
        Unrepresentable: a field holds an object that has no JSON form.
    """
    if not isinstance(payload, BaseModel) or isinstance(payload, RootModel):
        return _named("payload", payload)
    return {
        name: value if type(value) in _LEAVES else _named(f"payload.{name}", value) for name, value in _fields(payload)
    }


def context_data(context: Any) -> dict[str, Any]:
    """Make plain data of a plugin context; what is empty is left out, and objects without a JSON form in its maps are.

    The gateway puts objects of its own there, such as the tool that is called; a plugin that nobody could ask because
    of one of them would help nobody.
    """
    shared = {}
    for name, value in _fields(context.global_context):
        if type(value) in _LEAVES:
            if value is not None:
                shared[name] = value
        elif data := _entries(name, value) if isinstance(value, Mapping) else plain(value):
            shared[name] = data
    data = {"global_context": shared}
    for name in ("state", "metadata"):
        if values := getattr(context, name, None):
            data[name] = _entries(name, values)
    return data


def plain(value: Any) -> Any:
    """Make plain data of any value: maps, lists, models, and what pydantic can write as JSON, such as dates.

    Raises:
        TypeError, ValueError: an object has no JSON form.
    """
    kind = type(value)
    if kind in _LEAVES:
        return value
    if isinstance(value, Mapping):
        return {
            name if type(name) is str else str(to_jsonable_python(name)): part if type(part) in _LEAVES else plain(part)
            for name, part in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [part if type(part) in _LEAVES else plain(part) for part in value]
    if isinstance(value, RootModel):
        return plain(value.root)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", warnings=False)
    return to_jsonable_python(value)


def _fields(model: BaseModel) -> list[tuple[str, Any]]:
    extra = model.__pydantic_extra__
    return [*model.__dict__.items(), *extra.items()] if extra else list(model.__dict__.items())


def _named(path: str, value: Any) -> Any:
    try:
        return plain(value)
    except (PydanticSerializationError, TypeError, ValueError, RecursionError) as problem:
        raise Unrepresentable(path, f"holds an object that has no JSON form ({type(problem).__name__})") from problem


def _entries(where: str, values: Mapping[Any, Any]) -> dict[str, Any]:
    data = {}
    for name, value in values.items():
        try:
            data[str(name)] = value if type(value) in _LEAVES else plain(value)
        except (PydanticSerializationError, TypeError, ValueError, RecursionError):
            if (seen := (f"{where}.{name}", type(value))) not in _left_out:
                _left_out.add(seen)
                logger.warning("the context's %s.%s is not sent to plugins: %s has no JSON form", where, name, seen[1])
    return data
