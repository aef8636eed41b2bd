"""One way to call a server, whatever the transport: for tests of what must be the same on all of them."""

from __future__ import annotations

import json
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from http.client import BadStatusLine, HTTPResponse, IncompleteRead
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import grpc

from .serving import RunningServer, Served
from .unix_v1 import UnixV1Client

LIMIT = 30.0
HEAD = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
INVOKE = "/cpex.PluginService/InvokeHook"


class ConnectionLostError(Exception):
    """The server closed the connection, or refused it, instead of answering."""


@dataclass(frozen=True)
class Answer:
    """What a call of the probe plugin brought.

    Attributes:
        args: the payload's arguments, as the plugin gave them back; None when it changed nothing or blocked.
        error: the code of the error.
    """

    args: Any = None
    error: str | None = None


class TransportClient(ABC):
    """One connection to a server; for gRPC one channel."""

    @abstractmethod
    def send(self, behaviour: str, args: dict[str, Any]) -> Callable[[], Answer]:
        """Send a call of the probe plugin; the function returned waits for the answer or raises ConnectionLostError."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    def call(self, behaviour: str, **args: Any) -> Answer:
        """Make a call and wait for its answer."""
        return self.send(behaviour, args)()

    def process(self) -> int:
        """The process that answers this connection."""
        return int(self.call("process").args["process"])

    def __enter__(self) -> TransportClient:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()


def connect_client(served: RunningServer, scheme: str, pb: Any) -> TransportClient:
    """Connect to a server.

    Args:
        served: the server.
        scheme: "http", "http+unix", "grpc", "grpc+unix", "unix" or "stdio".
        pb: the messages of the contract.

    Raises:
        ConnectionLostError: nobody accepts.
    """
    if scheme == "stdio":
        assert isinstance(served, Served)
        return _Stdio(served.process)
    endpoint = served.endpoints[scheme]
    place = endpoint.partition("://")[2]
    try:
        if scheme == "unix":
            return _Unix(place, pb)
        if scheme.startswith("grpc"):
            return _Grpc(f"unix:{place}" if scheme == "grpc+unix" else place, pb)
        return _Http(open_socket(endpoint))
    except (ConnectionError, FileNotFoundError) as error:
        raise ConnectionLostError(str(error)) from error


def is_multiplexed(scheme: str) -> bool:
    """Whether one conversation carries many calls at once."""
    return scheme == "stdio" or scheme.startswith("grpc")


def open_socket(endpoint: str) -> socket.socket:
    """A bare connection to an endpoint.

    Args:
        endpoint: as the server printed it.
    """
    scheme, _, place = endpoint.partition("://")
    if scheme.endswith("unix"):
        opened = socket.socket(socket.AF_UNIX)
        opened.settimeout(LIMIT)
        try:
            opened.connect(place)
        except OSError:
            opened.close()
            raise
        return opened
    parts = urlsplit(endpoint)
    return socket.create_connection((parts.hostname, parts.port or 0), timeout=LIMIT)


def json_rpc(behaviour: str, args: dict[str, Any], request_id: int) -> bytes:
    """A call of the probe plugin as MCP has it."""
    payload = {"name": behaviour, "args": args}
    arguments = {"hook_type": "tool_pre_invoke", "plugin_name": "Probe", "payload": payload, "context": None}
    params = {"name": "invoke_hook", "arguments": arguments}
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": params}).encode()


def http_request(body: bytes) -> bytes:
    """A message in a request to /mcp."""
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _from_mcp(message: Any) -> Answer:
    reply = json.loads(message["result"]["content"][0]["text"])
    if "error" in reply:
        return Answer(error=reply["error"]["code"])
    changed = reply["result"].get("modified_payload")
    return Answer(changed and changed["args"])


def _from_protobuf(reply: Any) -> Answer:
    if reply.HasField("error"):
        return Answer(error=reply.error.code)
    if "modified_payload" not in reply.result:
        return Answer()
    # A Struct's helper gives maps as Structs: make them plain.
    return Answer(json.loads(json.dumps(dict(reply.result["modified_payload"]["args"]))))


class _Http(TransportClient):
    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._numbers = count(1)

    def send(self, behaviour: str, args: dict[str, Any]) -> Callable[[], Answer]:
        number = next(self._numbers)
        try:
            self._socket.sendall(http_request(json_rpc(behaviour, args, number)))
        except ConnectionError as error:
            raise ConnectionLostError(str(error)) from error
        return lambda: self._receive(number)

    def close(self) -> None:
        self._socket.close()

    def _receive(self, number: int) -> Answer:
        try:
            response = HTTPResponse(self._socket)
            response.begin()
            message = json.loads(response.read())
        except (ConnectionError, BadStatusLine, IncompleteRead) as error:
            raise ConnectionLostError(str(error)) from error
        assert message["id"] == number
        return _from_mcp(message)


class _Unix(TransportClient):
    def __init__(self, path: str, pb: Any) -> None:
        self._peer = UnixV1Client(path, pb)

    def send(self, behaviour: str, args: dict[str, Any]) -> Callable[[], Answer]:
        try:
            self._peer.send(self._peer.request(behaviour, args))
        except ConnectionError as error:
            raise ConnectionLostError(str(error)) from error
        return self._receive

    def close(self) -> None:
        self._peer.socket.close()

    def _receive(self) -> Answer:
        try:
            return _from_protobuf(self._peer.reply())
        except (EOFError, ConnectionError) as error:
            raise ConnectionLostError(str(error)) from error


class _Grpc(TransportClient):
    def __init__(self, target: str, pb: Any) -> None:
        self._pb = pb
        # Channels share their connections unless told otherwise.
        self._channel = grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)])
        self._invoke: Any = self._channel.unary_unary(INVOKE, None, pb.InvokeHookResponse.FromString)

    def send(self, behaviour: str, args: dict[str, Any]) -> Callable[[], Answer]:
        request = self._pb.InvokeHookRequest(hook_type="tool_pre_invoke", plugin_name="Probe")
        request.payload.update({"name": behaviour, "args": args})
        future = self._invoke.future(request.SerializeToString(), timeout=LIMIT)

        def receive() -> Answer:
            try:
                return _from_protobuf(future.result())
            except grpc.RpcError as error:
                code = error.code()
                if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                    raise ConnectionLostError(error.details()) from error
                raise

        return receive

    def close(self) -> None:
        self._channel.close()


class _Stdio(TransportClient):
    """The only conversation that a server on standard input and output can have."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout
        self._numbers = count(1)
        self._received: dict[int, Answer] = {}

    def send(self, behaviour: str, args: dict[str, Any]) -> Callable[[], Answer]:
        number = next(self._numbers)
        self._stdin.write(json_rpc(behaviour, args, number).decode() + "\n")
        self._stdin.flush()
        return lambda: self._receive(number)

    def close(self) -> None:
        self._stdin.close()

    def _receive(self, number: int) -> Answer:
        while number not in self._received:
            line = self._stdout.readline()
            if not line:
                raise ConnectionLostError("the server closed its output")
            message = json.loads(line)
            self._received[message["id"]] = _from_mcp(message)
        return self._received.pop(number)
