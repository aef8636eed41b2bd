"""A codec of the frames of version 2 of the Unix protocol: the server's side."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError as ProtobufDecodeError

from ..contract import plugin_stream_pb2 as pb
from ..errors import DecodeError, EncodeError
from ..exact_json import InvalidJsonError, dumps, loads
from ..host.config import PluginConfig
from ..host.errors import MCP_INTERNAL_ERROR, ErrorCode
from ..host.messages import CallDecodeError, HookCall, HookReply
from ..json_values import replace_surrogates
from ..unix_stream.framing import MAX_FRAME_BYTES
from .plugin_config import gateway_config


def read_frame(message: bytes) -> tuple[int, pb.ClientFrame | None]:
    """Decode a frame; see unix_stream.v2_server.ServerCodec."""
    try:
        frame = pb.ClientFrame.FromString(message)
    except ProtobufDecodeError as error:
        raise DecodeError(str(error)) from None
    return frame.id, None if frame.HasField("cancel") else frame


def read_call(request: pb.InvokeHook, transport: str, size: int) -> HookCall:
    """Read a hook call.

    Args:
        request: the parsed request.
        transport: the name of the transport.
        size: bytes of the frame.

    Raises:
        CallDecodeError: the payload or the context is no JSON.
    """
    call = HookCall(request.hook_type, request.plugin_name, None, None, transport, size=size)
    if request.traceparent:
        call.trace = {"traceparent": request.traceparent, "tracestate": request.tracestate}
    try:
        call.payload = loads(request.payload)
    except InvalidJsonError as error:
        raise CallDecodeError(call, ErrorCode.INVALID_PAYLOAD, f"payload: {error}") from None
    try:
        call.context = loads(request.context) if request.context else None
    except InvalidJsonError as error:
        raise CallDecodeError(call, ErrorCode.INVALID_CONTEXT, f"context: {error}") from None
    return call


def write_reply(call_id: int, reply: HookReply) -> bytes:
    """Write the frame that answers a hook call.

    Raises:
        EncodeError: a value has no JSON form, or the frame is longer than a frame may be.
    """
    if reply.error is not None:
        answer = pb.ServerFrame(id=call_id, error=_error(reply.error))
    else:
        context = b"" if reply.context is None else _json(reply.context, "context")
        answer = pb.ServerFrame(id=call_id, result=pb.HookResult(result=_json(reply.result, "result"), context=context))
    return _serialize(answer, "result")


def write_config(call_id: int, entry: PluginConfig | None) -> bytes:
    """Write the entry of one plugin, or that there is none."""
    text = b"" if entry is None else _json(gateway_config(entry), "config", dates=True)
    return _serialize(pb.ServerFrame(id=call_id, config=pb.Config(config=text)), "config")


def write_configs(call_id: int, entries: list[PluginConfig]) -> bytes:
    """Write the entries of all plugins."""
    text = _json([gateway_config(entry) for entry in entries], "configs", dates=True)
    return _serialize(pb.ServerFrame(id=call_id, configs=pb.Configs(configs=text)), "configs")


def write_health(call_id: int, serving: bool | None) -> bytes:
    """Write whether calls are answered; None when there is no such plugin."""
    return pb.ServerFrame(
        id=call_id, health=pb.Health(known=serving is not None, serving=bool(serving))
    ).SerializeToString()


def write_unknown_request(call_id: int) -> bytes:
    """Write the answer to a question that this version of the contract does not have."""
    error = pb.Error(
        message="this server does not know what was asked",
        code="UNKNOWN_REQUEST",
        mcp_error_code=MCP_INTERNAL_ERROR,
    )
    return pb.ServerFrame(id=call_id, error=error).SerializeToString()


def write_welcome(max_frame_bytes: int, max_calls: int) -> bytes:
    """Write the frame that accepts a connection."""
    welcome = pb.Welcome(max_frame_bytes=max_frame_bytes, max_calls=max_calls)
    return pb.ServerFrame(welcome=welcome).SerializeToString()


def write_goodbye(last_id: int) -> bytes:
    """Write the frame that announces the end; `last_id` is the last call that was taken."""
    return pb.ServerFrame(goodbye=pb.Goodbye(last_id=last_id)).SerializeToString()


def _error(error: dict[str, Any]) -> pb.Error:
    number = error.get("mcp_error_code", MCP_INTERNAL_ERROR)
    # A plugin's own error must arrive in any case: what cannot be written of its text becomes a question mark.
    return pb.Error(
        message=replace_surrogates(error["message"]),
        plugin_name=replace_surrogates(error["plugin_name"]),
        code=replace_surrogates(error["code"]),
        details=_json(error["details"], "error.details") if error.get("details") else b"",
        mcp_error_code=number if -(2**63) <= number < 2**63 else MCP_INTERNAL_ERROR,
    )


def _json(value: Any, name: str, dates: bool = False) -> bytes:
    try:
        return dumps(value, dates)
    except EncodeError as error:
        raise error.below(name) from None


def _serialize(answer: pb.ServerFrame, name: str) -> bytes:
    data = answer.SerializeToString()
    if len(data) > MAX_FRAME_BYTES:
        raise EncodeError(name, f"{len(data)} bytes are more than the {MAX_FRAME_BYTES} of a message")
    return data
