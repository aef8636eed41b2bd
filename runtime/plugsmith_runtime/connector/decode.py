"""Decoder of replies: from JSON values to the framework's own types."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel, RootModel, ValidationError

from ..errors import validation_message
from ..host.errors import MCP_INTERNAL_ERROR, ErrorCode
from .encode import SCALARS
from .framework import Framework


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
            name: part if type(part) in SCALARS else _restore(original.get(name), sent.get(name), part)
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
