"""A codec of the frames of version 2 of the Unix protocol: the client's side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import DecodeError as ProtobufDecodeError

from ..contract import plugin_stream_pb2 as pb
from ..errors import DecodeError, EncodeError
from ..exact_json import InvalidJsonError, dumps, loads
from ..unix_stream.v2_client import Goodbye, Welcome


def write_invoke(
    hook: str, plugin: str, payload: Any, context: dict[str, Any] | None, trace: Mapping[str, str] | None = None
) -> bytes:
    """Write a hook call, less its number: a frame is `write_call_id` and this.

    Args:
        hook: the hook's wire name.
        plugin: the plugin's name.
        payload: the hook's payload.
        context: the plugin context.
        trace: the caller's traceparent and tracestate.

    Raises:
        EncodeError: a value has no JSON form.
    """
    call = pb.InvokeHook(hook_type=hook, plugin_name=plugin, payload=_json(payload, "payload"))
    if context is not None:
        call.context = _json(context, "context")
    if trace:
        call.traceparent = trace.get("traceparent", "")
        call.tracestate = trace.get("tracestate", "")
    return pb.ClientFrame(invoke=call).SerializeToString()


def write_get_config(name: str) -> bytes:
    """Write the question for one plugin's configuration, less its number."""
    return pb.ClientFrame(get_config=pb.GetConfig(name=name)).SerializeToString()


def write_get_configs() -> bytes:
    """Write the question for all configurations, less its number."""
    return pb.ClientFrame(get_configs=pb.GetConfigs()).SerializeToString()


def write_check_health(plugin: str) -> bytes:
    """Write the question whether a plugin, or with "" the server, answers calls, less its number."""
    return pb.ClientFrame(check_health=pb.CheckHealth(plugin_name=plugin)).SerializeToString()


def write_call_id(call_id: int) -> bytes:
    """Write the number of a call; two messages of protobuf one after the other are one with the fields of both."""
    return pb.ClientFrame(id=call_id).SerializeToString()


def write_cancel(call_id: int) -> bytes:
    """Write the frame that stops a call."""
    return pb.ClientFrame(id=call_id, cancel=pb.Cancel()).SerializeToString()


def read_frame(message: bytes) -> tuple[int, pb.ServerFrame | Welcome | Goodbye]:
    """Decode a frame; see unix_stream.v2_client.ClientCodec."""
    try:
        frame = pb.ServerFrame.FromString(message)
    except ProtobufDecodeError as error:
        raise DecodeError(str(error)) from None
    if not frame.id:
        if frame.HasField("welcome"):
            return 0, Welcome(frame.welcome.max_frame_bytes, frame.welcome.max_calls)
        if frame.HasField("goodbye"):
            return 0, Goodbye(frame.goodbye.last_id)
    return frame.id, frame


def read_reply(plugin: str, answer: pb.ServerFrame) -> dict[str, Any]:
    """Read the reply to a hook call: plugin_name, result or error, and context when it carries anything.

    Args:
        plugin: the plugin's name as it was asked for.
        answer: the frame.

    Raises:
        ConnectionError: it does not answer a hook call.
    """
    reply: dict[str, Any] = {"plugin_name": plugin}
    if answer.HasField("result"):
        reply["result"] = _read(answer.result.result)
        if answer.result.context:
            reply["context"] = _read(answer.result.context)
        return reply
    error = _error(answer)
    reply["error"] = {
        "message": error.message,
        "plugin_name": error.plugin_name,
        "code": error.code,
        "details": _read(error.details) if error.details else {},
        "mcp_error_code": error.mcp_error_code,
    }
    return reply


def read_config(answer: pb.ServerFrame) -> dict[str, Any] | None:
    """Read one plugin's configuration, None when the server has no such plugin; errors as in `read_configs`."""
    if not answer.HasField("config"):
        raise ConnectionError(_error(answer).message)
    config: dict[str, Any] | None = _read(answer.config.config) if answer.config.config else None
    return config


def read_configs(answer: pb.ServerFrame) -> list[dict[str, Any]]:
    """Read the configurations of all plugins.

    Raises:
        ConnectionError: the server answered with an error, or with what is no answer.
    """
    if not answer.HasField("configs"):
        raise ConnectionError(_error(answer).message)
    configs: list[dict[str, Any]] = _read(answer.configs.configs)
    return configs


def read_health(answer: pb.ServerFrame) -> bool | None:
    """Read whether calls are answered, None when there is no such plugin; errors as in `read_configs`."""
    if not answer.HasField("health"):
        raise ConnectionError(_error(answer).message)
    return answer.health.serving if answer.health.known else None


def _error(answer: pb.ServerFrame) -> pb.Error:
    if not answer.HasField("error"):
        raise ConnectionError(f"the server answered with {answer.WhichOneof('kind')}, which is no answer to the call")
    return answer.error


def _json(value: Any, name: str) -> bytes:
    try:
        return dumps(value)
    except EncodeError as error:
        raise error.below(name) from None


def _read(text: bytes) -> Any:
    try:
        return loads(text)
    except InvalidJsonError as error:
        raise ConnectionError(f"the server's answer cannot be read: {error}") from None
