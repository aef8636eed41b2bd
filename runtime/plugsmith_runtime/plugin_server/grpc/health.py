"""Health of the server, its services and its plugins: the service that all tools know, and the gateways' old one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

# The old Health's messages are the standard's, byte for byte.
from ...contract import plugin_service_pb2 as pb
from ...grpc.call import Call, StreamingCall
from ...grpc.status import StatusCode, StatusError
from .names import SERVICES

if TYPE_CHECKING:
    from ...host.host import Host

_States = pb.HealthCheckResponse


class Health:
    """Answers for "" (the server), the name of a service, or that of a plugin.

    Args:
        host: knows what is serving.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._changed = asyncio.Event()
        self._ended = False
        host.subscribe(self._wake)

    async def old_check(self, data: bytes, call: Call) -> bytes:
        """Return the state; an unknown name has one too."""
        return _written(self._state(_name(data)))

    async def check(self, data: bytes, call: Call) -> bytes:
        """Return the state; an unknown name is an error."""
        name = _name(data)
        state = self._state(name)
        if state == _States.SERVICE_UNKNOWN:
            raise StatusError(StatusCode.NOT_FOUND, f"this server has no service or plugin {name!r}")
        return _written(state)

    async def watch(self, call: StreamingCall) -> None:
        """Send the state now and whenever it changes."""
        data = await call.receive()
        if data is None:
            raise StatusError(StatusCode.INVALID_ARGUMENT, "the request is missing")
        name = _name(data)
        sent = None
        while True:
            changed = self._changed
            state = self._state(name)
            if state != sent:
                await call.send(_written(state))
                sent = state
            if self._ended:
                return
            await changed.wait()

    def end(self) -> None:
        """End all watches: a server that stops would wait for them."""
        self._ended = True
        self._wake()

    def _state(self, name: str) -> pb.HealthCheckResponse.ServingStatus.ValueType:
        serving = self._host.ready if name in ("", *SERVICES) else self._host.plugin_serving(name)
        if serving is None:
            return _States.SERVICE_UNKNOWN
        return _States.SERVING if serving else _States.NOT_SERVING

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _name(data: bytes) -> str:
    try:
        return pb.HealthCheckRequest.FromString(data).service
    except DecodeError:
        raise StatusError(StatusCode.INVALID_ARGUMENT, "the request is no HealthCheckRequest") from None


def _written(state: pb.HealthCheckResponse.ServingStatus.ValueType) -> bytes:
    return pb.HealthCheckResponse(status=state).SerializeToString()
