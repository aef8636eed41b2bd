"""Codec between the gateway framework's objects and the JSON values that travel: requests there, replies back."""

from __future__ import annotations

import logging
import sys
from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ..errors import EncodeError, validation_message
from ..host.errors import MCP_INTERNAL_ERROR, ErrorCode
from .framework import Framework

logger = logging.getLogger(__name__)

# Types of the values that travel as they are.
_SCALARS = frozenset({str, int, float, bool, type(None)})

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
        name: value if type(value) in _SCALARS else _encode_at(f"payload.{name}", value)
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


def decode_result(framework: Framework, hook: str, plugin: str, payload: Any, sent: Any, data: dict[str, Any]) -> Any:
    """Decode the result of a reply into the framework's model.

    Args:
        framework: the framework.
        hook: the hook's name.
        plugin: the name of the entry in the gateway's plugins file.
        payload: the payload that the gateway called the hook with.
        sent: the same payload as it was encoded.
        data: the result in the reply.

    Raises:
        Exception: the framework's PluginError, when the data is not a result of that hook.
    """
    changed = data.get("modified_payload")
    model = framework.registry.get_result_type(hook)
    assert model is not None, hook
    try:
        if isinstance(changed, dict) and _same_shape(model, payload.__class__):
            data["modified_payload"] = {
                name: _restore(getattr(payload, name, None), sent.get(name), value) for name, value in changed.items()
            }
        return model.model_validate(data)
    except ValidationError as error:
        message = f"plugin {plugin} answered {hook} with what the gateway cannot take: {validation_message(error)}"
        raise framework.error(
            framework.error_model(message=message, plugin_name=plugin, code=ErrorCode.INVALID_RESULT.value)
        ) from error


def decode_error(framework: Framework, plugin: str, error: Mapping[str, Any]) -> Exception:
    """Decode the error of a reply into the framework's exception."""
    return framework.error(
        framework.error_model(
            message=error.get("message") or "the plugin failed",
            plugin_name=error.get("plugin_name") or plugin,
            code=error.get("code") or "",
            details=error.get("details") or {},
            mcp_error_code=error.get("mcp_error_code") or MCP_INTERNAL_ERROR,
        )
    )


def update_context(context: Any, sent: dict[str, Any], data: Mapping[str, Any]) -> None:
    """Apply the plugin's changes to the gateway's context.

    Of the part that plugins share, only changed values are written: the gateway's own objects stay as they are.

    Args:
        context: the context that the gateway called the hook with.
        sent: the same context as it was encoded.
        data: the context in the reply.
    """
    for name in ("state", "metadata"):
        if name in data:
            setattr(context, name, _merge(getattr(context, name), sent.get(name) or {}, data[name] or {}))
    shared = data.get("global_context") or {}
    before = sent["global_context"]
    for name in ("state", "metadata"):
        values = getattr(context.global_context, name)
        known = before.get(name) or {}
        for key, value in (shared.get(name) or {}).items():
            if key not in known or known[key] != value:
                values[key] = value


def _to_json_value(value: Any) -> Any:
    """Encode any value: maps, lists, models, bytes (as base64), and what pydantic can write as JSON.

    Raises:
        TypeError, ValueError: an object has no JSON form.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if isinstance(value, dict):
        # items() is a must: the own storage of copy-on-write maps is empty.
        return {_key(name): part if type(part) in _SCALARS else _to_json_value(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [part if type(part) in _SCALARS else _to_json_value(part) for part in value]
    if isinstance(value, RootModel):
        return _to_json_value(value.root)
    if isinstance(value, BaseModel):
        return _to_json_value(value.model_dump(warnings=False))
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
        return _to_json_value(value)
    except (PydanticSerializationError, TypeError, ValueError, RecursionError) as error:
        raise EncodeError(path, f"holds an object that has no JSON form ({type(error).__name__})") from error


def _encode_map(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    data = {}
    for name, value in values.items():
        if type(value) in _SCALARS:
            data[name] = value
        elif isinstance(value, dict):
            data[name] = _encode_map(f"{prefix}{name}.", value)
        else:
            try:
                data[name] = _to_json_value(value)
            except (PydanticSerializationError, TypeError, ValueError, RecursionError):
                _log_omission(f"{prefix}{name}", type(value))
    return data


def _log_omission(path: str, kind: type) -> None:
    if (path, kind) not in _logged_omissions:
        _logged_omissions.add((path, kind))
        logger.warning("the context's %s is not sent to plugins: %s has no JSON form", path, kind.__name__)


@lru_cache(maxsize=256)
def _same_shape(result: type[BaseModel], payload: type) -> bool:
    """Whether a hook's result has a payload of the type that the hook gets; some have a map of headers."""
    return payload in get_args(result.model_fields["modified_payload"].annotation)


def _merge(former: Mapping[str, Any], sent: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """The map as the plugin left it; a value that did not change stays the same object."""
    return {key: former[key] if key in sent and sent[key] == value else value for key, value in current.items()}


def _restore(original: Any, sent: Any, value: Any) -> Any:
    """Give a JSON value the type of the object that it was encoded from, where that was a model or bytes.

    Args:
        original: the object.
        sent: the same object as it was encoded.
        value: the value in the reply.
    """
    kind = type(value)
    if kind is str and isinstance(original, bytes):
        return original if sent == value else _decode_bytes(value)
    if kind is not dict and kind is not list:
        return value
    if isinstance(original, BaseModel):
        return original if sent == value else _restore_model(original, sent, value)
    if kind is dict and isinstance(original, dict):
        return {
            name: part if type(part) in _SCALARS else _restore(original.get(name), sent.get(name), part)
            for name, part in value.items()
        }
    if kind is list and isinstance(original, list) and original and isinstance(original[0], BaseModel):
        return [_restore_item(original, sent, index, part) for index, part in enumerate(value)]
    return value


def _restore_model(original: BaseModel, sent: Any, value: Any) -> BaseModel:
    if isinstance(value, dict) and isinstance(sent, dict) and not isinstance(original, RootModel):
        value = {name: _restore(getattr(original, name, None), sent.get(name), part) for name, part in value.items()}
    return type(original).model_validate(value, by_alias=True, by_name=True)


def _restore_item(originals: list[Any], sent: Any, index: int, part: Any) -> Any:
    """Restore an item of a list of models; an item that the plugin added gets the type of the first."""
    if index < len(originals):
        return _restore(originals[index], sent[index], part)
    return _restore_model(originals[0], sent[0], part)


def _decode_bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return text.encode()
