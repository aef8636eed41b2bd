"""Good inputs of each wire, from which the bad ones are made."""

from __future__ import annotations

import json
from typing import Any

from hpack import Encoder

from tests.support import http2
from tests.support.transport_clients import HEAD, http_request, json_rpc
from tests.support.unix_v1 import frame
from tests.support.unix_v2 import PREFACE

ARGS = {"a": [1, {"b": "text"}], "c": None, "long": "x" * 300}


def messages() -> list[bytes]:
    """JSON-RPC messages."""
    others: list[dict[str, Any]] = [
        {"method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}}},
        {"method": "tools/list"},
        {"method": "ping", "params": {"_meta": {"a": 1}}},
        {"method": "tools/call", "params": {"name": "get_plugin_config", "arguments": {"name": "Probe"}}},
    ]
    plain = [json.dumps({"jsonrpc": "2.0", "id": 1} | other).encode() for other in others]
    return [json_rpc("echo", ARGS, 7), *plain, json.dumps({"jsonrpc": "2.0", "method": "notifications/x"}).encode()]


def http_bytes() -> list[bytes]:
    """Whole requests."""
    body = messages()[0]
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return [
        *map(http_request, messages()),
        chunked,
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /call HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
        http_request(body) + http_request(body),
    ]


def hook_calls(pb: Any) -> list[bytes]:
    """Protobuf messages that ask for a hook."""
    call = pb.InvokeHookRequest(hook_type="tool_pre_invoke", plugin_name="Probe")
    call.payload.update({"name": "echo", "args": ARGS})
    call.context.global_context.request_id = "r"
    call.context.state.update({"a": [1, None]})
    return [call.SerializeToString(), pb.GetPluginConfigRequest(name="Probe").SerializeToString(), b""]


def unix_bytes(pb: Any, pb2: Any) -> list[bytes]:
    """Connections of both versions of the Unix protocol."""
    version_1 = [frame(message) for message in hook_calls(pb)]
    payload = json.dumps({"name": "echo", "args": ARGS}).encode()
    invoke = pb2.InvokeHook(hook_type="tool_pre_invoke", plugin_name="Probe", payload=payload, context=b"{}")
    frames = [
        pb2.ClientFrame(id=1, invoke=invoke), pb2.ClientFrame(id=2, cancel=pb2.Cancel()),
        pb2.ClientFrame(id=3, get_config=pb2.GetConfig(name="Probe")),
        pb2.ClientFrame(id=4, check_health=pb2.CheckHealth()), pb2.ClientFrame(id=5, get_configs=pb2.GetConfigs()),
    ]  # fmt: skip
    written = [frame(item.SerializeToString()) for item in frames]
    return [*version_1, b"".join(version_1), *(PREFACE + item for item in written), PREFACE + b"".join(written)]


def grpc_bytes(pb: Any) -> list[bytes]:
    """Connections of HTTP/2."""
    fields = {
        ":method": "POST", ":scheme": "http", ":path": http2.INVOKE, ":authority": "test", "te": "trailers",
        "content-type": "application/grpc", "grpc-timeout": "10S",
    }  # fmt: skip
    begun = http2.PREFACE + http2.frame(http2.SETTINGS, 0, 0, b"\0\4\0\1\0\0")
    head = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, Encoder().encode(list(fields.items())))
    data = http2.frame(http2.DATA, http2.END_STREAM, 1, http2.message(hook_calls(pb)[0]))
    others = [
        http2.frame(http2.PING, 0, 0, b"12345678"),
        http2.frame(http2.WINDOW_UPDATE, 0, 0, b"\0\0\1\0"),
        http2.frame(http2.RST_STREAM, 0, 1, b"\0\0\0\x08"),
        http2.frame(http2.PRIORITY, 0, 1, b"\0\0\0\0\x10"),
        http2.frame(http2.GOAWAY, 0, 0, b"\0" * 8),
        http2.frame(http2.CONTINUATION, http2.END_HEADERS, 1, b"\x82"),
    ]
    return [begun + head + data, begun + head, *(begun + head + other + data for other in others)]
