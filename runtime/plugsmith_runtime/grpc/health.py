"""Standard health service of gRPC (grpc.health.v1.Health): Check, List and Watch.

The messages are those of the contract's own health service, which are the standard's byte for byte: the package that
holds the standard's takes a tenth of a start to import.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Protocol

from google.protobuf.message import DecodeError

from ..contract import plugin_service_pb2 as pb
from ..protobuf.struct_bytes import encode_varint
from .server_call import ServerCall
from .service import Service, unary_stream, unary_unary
from .status import StatusCode, StatusError

HEALTH = "grpc.health.v1.Health"

_States = pb.HealthCheckResponse
_LIST_LIMIT = 100
# HealthListResponse: map<string, HealthCheckResponse> statuses = 1. The entries of a map are messages of key and value.
_STATUSES, _KEY, _VALUE = b"\x0a", b"\x0a", b"\x12"


class HealthStates(Protocol):
    """What the service asks for states."""

    def names(self) -> Iterable[str]:
        """The names that `List` tells; "" is the whole server."""

    def serving(self, name: str) -> bool | None:
        """Whether the server (""), or what has this name, is serving; None when there is no such thing."""


class Health:
    """Answers of the health service, and the watches that are told of changes.

    Args:
        states: knows what is serving.
        what: what has the names, for error texts.
    """

    def __init__(self, states: HealthStates, what: str = "service") -> None:
        self._states = states
        self._what = what
        self._changed = asyncio.Event()
        self._ended = False

    def service(self) -> Service:
        """The service."""
        methods = (
            unary_unary("Check", self.check), unary_unary("List", self.list), unary_stream("Watch", self.watch)
        )  # fmt: skip
        return Service(HEALTH, methods)

    def notify(self) -> None:
        """Tell the watches that states may have changed."""
        self._changed.set()
        self._changed = asyncio.Event()

    def end(self) -> None:
        """End all watches: a server that stops would wait for them."""
        self._ended = True
        self.notify()

    async def check(self, data: bytes, call: ServerCall) -> bytes:
        """The state of a name; an unknown one is an error."""
        name = requested_name(data)
        state = self.state(name)
        if state == _States.SERVICE_UNKNOWN:
            raise StatusError(StatusCode.NOT_FOUND, f"this server has no {self._what} {name!r}")
        return response(state)

    async def list(self, data: bytes, call: ServerCall) -> bytes:
        """The states of all names."""
        names = list(self._states.names())
        if len(names) > _LIST_LIMIT:
            raise StatusError(StatusCode.RESOURCE_EXHAUSTED, f"more than {_LIST_LIMIT} names; check each by itself")
        return b"".join(_STATUSES + _delimited(_entry(name, response(self.state(name)))) for name in names)

    async def watch(self, data: bytes, call: ServerCall) -> AsyncGenerator[bytes, None]:
        """The state of a name now, and whenever it changes."""
        name = requested_name(data)
        sent = None
        while True:
            changed = self._changed
            state = self.state(name)
            if state != sent:
                yield response(state)
                sent = state
            if self._ended:
                return
            await changed.wait()

    def state(self, name: str) -> pb.HealthCheckResponse.ServingStatus.ValueType:
        """The state of a name."""
        serving = self._states.serving(name)
        if serving is None:
            return _States.SERVICE_UNKNOWN
        return _States.SERVING if serving else _States.NOT_SERVING


def requested_name(data: bytes) -> str:
    """The name of a HealthCheckRequest.

    Raises:
        StatusError: it is none.
    """
    try:
        return pb.HealthCheckRequest.FromString(data).service
    except DecodeError:
        raise StatusError(StatusCode.INVALID_ARGUMENT, "the request is no HealthCheckRequest") from None


def response(state: pb.HealthCheckResponse.ServingStatus.ValueType) -> bytes:
    """A HealthCheckResponse."""
    return pb.HealthCheckResponse(status=state).SerializeToString()


def _entry(name: str, message: bytes) -> bytes:
    return _KEY + _delimited(name.encode()) + _VALUE + _delimited(message)


def _delimited(data: bytes) -> bytes:
    return encode_varint(len(data)) + data
