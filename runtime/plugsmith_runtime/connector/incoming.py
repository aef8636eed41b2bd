"""From a plugin's reply to the framework's own types."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel, RootModel, ValidationError

from ..errors import validation_message
from ..host.errors import MCP_INTERNAL_ERROR, ErrorCode
from .framework import Framework
from .outgoing import LEAVES


def read_result(framework: Framework, hook: str, plugin: str, payload: Any, sent: Any, data: dict[str, Any]) -> Any:
    """Make the framework's result of a reply's.

    Args:
        framework: the framework.
        hook: the hook.
        plugin: the plugin's name.
        payload: the payload that the hook was called with.
        sent: the plain data of it.
        data: the reply's result.

    Raises:
        Exception: the framework's PluginError, when the result is none of that hook.
    """
    changed = data.get("modified_payload")
    model = framework.registry.get_result_type(hook)
    assert model is not None, hook
    try:
        if isinstance(changed, dict) and _same_shape(model, payload.__class__):
            data["modified_payload"] = {
                name: _restored(getattr(payload, name, None), sent.get(name), value) for name, value in changed.items()
            }
        return model.model_validate(data)
    except ValidationError as error:
        message = f"plugin {plugin} answered {hook} with what the gateway cannot take: {validation_message(error)}"
        raise framework.error(
            framework.error_model(message=message, plugin_name=plugin, code=ErrorCode.INVALID_RESULT.value)
        ) from error


def plugin_error(framework: Framework, plugin: str, error: Mapping[str, Any]) -> Exception:
    """Make the framework's exception of a reply's error."""
    return framework.error(
        framework.error_model(
            message=error.get("message") or "the plugin failed",
            plugin_name=error.get("plugin_name") or plugin,
            code=error.get("code") or "",
            details=error.get("details") or {},
            mcp_error_code=error.get("mcp_error_code") or MCP_INTERNAL_ERROR,
        )
    )


def take_back(context: Any, sent: dict[str, Any], data: Mapping[str, Any]) -> None:
    """Write what the plugin changed into the gateway's context.

    Of what plugins share only the changes are written, so that objects of the gateway stay what they are.

    Args:
        context: the context that the hook was called with.
        sent: the plain data of it.
        data: the reply's context.
    """
    for name in ("state", "metadata"):
        if name in data:
            setattr(context, name, _merged(getattr(context, name), sent.get(name) or {}, data[name] or {}))
    shared = data.get("global_context") or {}
    before = sent["global_context"]
    for name in ("state", "metadata"):
        values = getattr(context.global_context, name)
        known = before.get(name) or {}
        for key, value in (shared.get(name) or {}).items():
            if key not in known or known[key] != value:
                values[key] = value


@lru_cache(maxsize=256)
def _same_shape(result: type[BaseModel], payload: type) -> bool:
    """Whether a hook answers with a payload like the one that it gets; some answer with a map of headers."""
    return payload in get_args(result.model_fields["modified_payload"].annotation)


def _merged(former: Mapping[str, Any], sent: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The plugin's own map as it is now; a value that it left alone stays the object that it was."""
    return {key: former[key] if key in sent and sent[key] == value else value for key, value in now.items()}


def _restored(original: Any, sent: Any, value: Any) -> Any:
    """Give changed data the type of the object that it was made of, where that was a model or bytes.

    Args:
        original: the object.
        sent: the plain data of it.
        value: what the plugin answered in its place.
    """
    kind = type(value)
    if kind is str and isinstance(original, bytes):
        return original if sent == value else _bytes(value)
    if kind is not dict and kind is not list:
        return value
    if isinstance(original, BaseModel):
        return original if sent == value else _model(original, sent, value)
    if kind is dict and isinstance(original, dict):
        return {
            name: part if type(part) in LEAVES else _restored(original.get(name), sent.get(name), part)
            for name, part in value.items()
        }
    if kind is list and isinstance(original, list) and original and isinstance(original[0], BaseModel):
        return [_like(original, sent, place, part) for place, part in enumerate(value)]
    return value


def _model(original: BaseModel, sent: Any, value: Any) -> BaseModel:
    if isinstance(value, dict) and isinstance(sent, dict) and not isinstance(original, RootModel):
        value = {name: _restored(getattr(original, name, None), sent.get(name), part) for name, part in value.items()}
    return type(original).model_validate(value, by_alias=True, by_name=True)


def _like(originals: list[Any], sent: Any, place: int, part: Any) -> Any:
    """Restore one of a list of models; one that the plugin has added is like the first."""
    if place < len(originals):
        return _restored(originals[place], sent[place], part)
    return _model(originals[0], sent[0], part)


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return text.encode()
