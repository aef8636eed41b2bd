"""Encoder of requests: from the framework's objects to the JSON values that travel."""

from __future__ import annotations

import logging
import sys
from base64 import b64encode
from typing import Any

from pydantic import BaseModel, RootModel
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ..errors import EncodeError

logger = logging.getLogger(__name__)

SCALARS = frozenset({str, int, float, bool, type(None)})
"""Types of the values that travel as they are."""

_TRACE_KEY = "traceparent"

# Path and type of what was left out of a context, so that each is logged once.
_logged_omissions: set[tuple[str, type]] = set()


def encode_payload(payload: Any) -> Any:
    """Encode a payload.

    The function walks the fields itself: in some releases of the framework they hold copy-on-write maps, which
    pydantic dumps as empty.

    Raises:
        EncodeError: a field holds an object that has no JSON form.
    """
    if not isinstance(payload, BaseModel) or isinstance(payload, RootModel):
        return _encode_at("payload", payload)
    return {
        name: value if type(value) in SCALARS else _encode_at(f"payload.{name}", value)
        for name, value in _fields(payload)
    }


def encode_context(context: Any) -> dict[str, Any]:
    """Encode a plugin context, without its empty fields and without objects that have no JSON form.

    The gateway puts objects of its own there, such as the tool that is called. Such an object must not keep the plugin
    from being asked.
    """
    shared = _encode_map("", dict(_fields(context.global_context)))
    data = {"global_context": {name: value for name, value in shared.items() if value is not None and value != {}}}
    for name in ("state", "metadata"):
        if values := getattr(context, name, None):
            data[name] = _encode_map(f"{name}.", values)
    return data


def add_trace(context: dict[str, Any]) -> None:
    """Add the gateway's current OpenTelemetry span to an encoded context, as the parent of the plugin's spans.

    Args:
        context: what `encode_context` returned.
    """
    # A gateway that traces has imported the library; others need not pay for it.
    library: Any = sys.modules.get("opentelemetry.trace")
    if library is None:
        return
    span = library.get_current_span().get_span_context()
    if span.is_valid:
        # https://www.w3.org/TR/trace-context/#traceparent-header
        parent = f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
        context["global_context"].setdefault("metadata", {}).setdefault(_TRACE_KEY, parent)


def to_json_value(value: Any) -> Any:
    """Encode any value: maps, lists, models, bytes (as base64), and what pydantic can write as JSON.

    Raises:
        TypeError, ValueError: an object has no JSON form.
    """
    kind = type(value)
    if kind in SCALARS:
        return value
    if isinstance(value, dict):
        # items() is a must: the own storage of copy-on-write maps is empty.
        return {_key(name): part if type(part) in SCALARS else to_json_value(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [part if type(part) in SCALARS else to_json_value(part) for part in value]
    if isinstance(value, RootModel):
        return to_json_value(value.root)
    if isinstance(value, BaseModel):
        return to_json_value(value.model_dump(warnings=False))
    if isinstance(value, bytes):
        # The form of binary resources in MCP; pydantic fails on bytes that are not UTF-8.
        return b64encode(value).decode()
    return to_jsonable_python(value)


def _key(name: Any) -> str:
    return name if type(name) is str else str(to_jsonable_python(name))


def _fields(model: BaseModel) -> list[tuple[str, Any]]:
    extra = model.__pydantic_extra__
    return [*model.__dict__.items(), *extra.items()] if extra else list(model.__dict__.items())


def _encode_at(path: str, value: Any) -> Any:
    try:
        return to_json_value(value)
    except (PydanticSerializationError, TypeError, ValueError, RecursionError) as error:
        raise EncodeError(path, f"holds an object that has no JSON form ({type(error).__name__})") from error


def _encode_map(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    data = {}
    for name, value in values.items():
        if type(value) in SCALARS:
            data[name] = value
        elif isinstance(value, dict):
            data[name] = _encode_map(f"{prefix}{name}.", value)
        else:
            try:
                data[name] = to_json_value(value)
            except (PydanticSerializationError, TypeError, ValueError, RecursionError):
                _log_omission(f"{prefix}{name}", type(value))
    return data


def _log_omission(path: str, kind: type) -> None:
    if (path, kind) not in _logged_omissions:
        _logged_omissions.add((path, kind))
        logger.warning("the context's %s is not sent to plugins: %s has no JSON form", path, kind.__name__)
