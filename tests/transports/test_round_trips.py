"""What a payload and a context carry comes back as it was sent, on every transport, as json and json_format see it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings

from tests.support.in_process import serve_in_process
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve
from tests.support.transport_clients import INVOKE, http_request, open_socket
from tests.support.unix_v1 import UnixV1Client
from tests.support.values import EXACT, integral, maps, texts, types, values

JSON_WAYS = ["http", "stdio"]
PROTOBUF_WAYS = ["grpc", "grpc+unix", "unix"]
CALM = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

Exchange = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]
"""Sends a payload and a context, returns the reply."""


def _json_rpc(payload: dict[str, Any], context: dict[str, Any]) -> bytes:
    arguments = {"hook_type": "tool_pre_invoke", "plugin_name": "Probe", "payload": payload, "context": context}
    params = {"name": "invoke_hook", "arguments": arguments}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()


def _reply(line: bytes | str) -> dict[str, Any]:
    reply: dict[str, Any] = json.loads(json.loads(line)["result"]["content"][0]["text"])
    return reply


def _http(connection: socket.socket) -> Exchange:
    def exchange(payload: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
        connection.sendall(http_request(_json_rpc(payload, context)))
        response = HTTPResponse(connection)
        response.begin()
        return _reply(response.read())

    return exchange


def _stdio(served: Served) -> Exchange:
    stdin, stdout = served.process.stdin, served.process.stdout
    assert stdin is not None and stdout is not None

    def exchange(payload: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
        stdin.write(_json_rpc(payload, context).decode() + "\n")
        stdin.flush()
        return _reply(stdout.readline())

    return exchange


def _protobuf(pb: Any, send: Callable[[bytes], bytes]) -> Exchange:
    def exchange(payload: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
        request = pb.InvokeHookRequest(hook_type="tool_pre_invoke", plugin_name="Probe")
        json_format.ParseDict(payload, request.payload)
        json_format.ParseDict(context, request.context)
        reply = pb.InvokeHookResponse.FromString(send(request.SerializeToString()))
        # Struct's numbers are doubles: json_format gives 1.0 for 1.
        data: dict[str, Any] = integral(json_format.MessageToDict(reply, preserving_proto_field_name=True))
        return data

    return exchange


@pytest.fixture(scope="module", params=[*JSON_WAYS, *PROTOBUF_WAYS])
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def exchange(way: str, rendered: RenderedPlugin, config: Path, config_in_place: Path, pb: Any) -> Iterator[Exchange]:
    if way == "stdio":
        with serve(rendered, "stdio", "--config", str(config)) as process:
            yield _stdio(process)
        return
    with serve_in_process(config_in_place, way.partition("+")[0]) as served:
        if way == "http":
            with open_socket(served.endpoints["http"]) as connection:
                yield _http(connection)
        elif way == "unix":
            with UnixV1Client(served.endpoints["unix"].removeprefix("unix://"), pb) as peer:

                def send(message: bytes) -> bytes:
                    peer.send(message)
                    return peer.receive()

                yield _protobuf(pb, send)
        else:
            place = served.endpoints[way].partition("://")[2]
            with grpc.insecure_channel(f"unix:{place}" if way == "grpc+unix" else place) as channel:
                invoke: Any = channel.unary_unary(INVOKE, None, None)
                yield _protobuf(pb, invoke)


def came_back(sent: Any, received: Any, way: str) -> None:
    expected = integral(sent) if way in PROTOBUF_WAYS else sent
    assert received == expected
    assert types(received) == types(expected)


def echo(exchange: Exchange, args: dict[str, Any], **extra: Any) -> dict[str, Any]:
    reply = exchange({"name": "echo", "args": args, **extra}, {"global_context": {"request_id": "r"}})
    payload: dict[str, Any] = reply["result"]["modified_payload"]
    return payload


@CALM
@given(args=maps)
def test_arguments(exchange: Exchange, way: str, args: dict[str, Any]) -> None:
    came_back(args, echo(exchange, args)["args"], way)


@CALM
@given(name=texts.filter(lambda name: name not in ("name", "args", "headers")), value=values.filter(bool))
def test_fields_that_nobody_knows(exchange: Exchange, way: str, name: str, value: Any) -> None:
    came_back(value, echo(exchange, {}, **{name: value})[name], way)


@CALM
@given(state=maps, shared=maps, metadata=maps)
def test_the_context(
    exchange: Exchange, way: str, state: dict[str, Any], shared: dict[str, Any], metadata: dict[str, Any]
) -> None:
    for own in (state, shared, metadata):
        # What the probe, or the server, puts there itself.
        for name in ("calls", "seen", "client_identity"):
            own.pop(name, None)
    context = {"state": state, "metadata": metadata, "global_context": {"request_id": "r", "state": shared}}
    reply = exchange({"name": "echo", "args": {}}, context)["context"]
    came_back({**state, "calls": 1}, reply["state"], way)
    came_back({**shared, "seen": "echo"}, reply["global_context"]["state"], way)
    came_back(metadata, reply.get("metadata", {}), way)


@pytest.mark.parametrize(
    "args",
    [
        {"text": "ä" * 1_000_000},
        {"a.b": {"c.d": 1}, "": {"": ""}, "$": [[], {}, None, [None, [None]]]},
        {"largest": EXACT, "smallest": -EXACT, "tiny": 5e-324, "huge": 1.7976931348623157e308},
        {"\x00": "\x00\u2028\U0001f600", "e\u0301": "\ufeff"},
        {"true": True, "one": 1, "float": 1.5, "text": "1"},
    ],
    ids=["a megabyte", "keys", "numbers", "unicode", "kinds"],
)
def test_what_is_known_to_be_hard(exchange: Exchange, way: str, args: dict[str, Any]) -> None:
    came_back(args, echo(exchange, args)["args"], way)
