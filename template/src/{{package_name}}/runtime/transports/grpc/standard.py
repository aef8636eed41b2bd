"""The services that every gRPC tool knows: grpc.health.v1 and server reflection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.reflection import aio as reflection

from .names import SERVICES
from .reflection import descriptors

if TYPE_CHECKING:
    from ...host import Host

_STANDARD = tuple(
    service.full_name
    for file in (health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR)
    for service in file.services_by_name.values()
)


class StandardServices:
    """Health of the server, of each service and of each plugin, and reflection.

    Args:
        server: the server, not yet started.
        host: knows the plugins.
    """

    def __init__(self, server: grpc.aio.Server, host: Host) -> None:
        self._host = host
        self._streams = _Streams()
        self._health = _Health(self._streams)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        servicer = _Reflection(self._streams, [*SERVICES, *_STANDARD])
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]

    async def serving(self) -> None:
        """Say SERVING for everything that is served."""
        for name in ("", *SERVICES, *_STANDARD, *self._host.names):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def draining(self) -> None:
        """Say NOT_SERVING for everything, for good, and end the streams, which a stop would wait for."""
        await self._health.enter_graceful_shutdown()
        # Watchers are told before they are ended.
        await asyncio.sleep(0)
        self._streams.end()


class _Streams:
    """The tasks behind streams that callers keep open for ever."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended = False

    @contextmanager
    def open(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            yield
        except asyncio.CancelledError:
            # grpc leaves a stream open whose task is cancelled; one that returns is closed.
            if not self._ended:
                raise
        finally:
            self._tasks.discard(task)

    def end(self) -> None:
        self._ended = True
        for task in list(self._tasks):
            task.cancel()


class _Health(health.HealthServicer):
    def __init__(self, streams: _Streams) -> None:
        super().__init__()
        self._streams = streams

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> None:
        with self._streams.open():
            await super().Watch(request, context)


class _Reflection(reflection.ReflectionServicer):
    def __init__(self, streams: _Streams, names: list[str]) -> None:
        super().__init__(names, descriptors())
        self._streams = streams

    # The package's stubs take the generator for a coroutine.
    async def ServerReflectionInfo(  # type: ignore[override]
        self, request_iterator: Any, unused_context: Any
    ) -> AsyncIterator[Any]:
        base: Any = super()
        with self._streams.open():
            async for response in base.ServerReflectionInfo(request_iterator, unused_context):
                yield response
