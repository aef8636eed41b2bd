"""One service with all four kinds of call, served by grpcio and by the runtime's own server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from plugsmith_runtime.grpc.server import Server, ServerOptions
from plugsmith_runtime.grpc.server_call import ServerCall
from plugsmith_runtime.grpc.service import Service, stream_stream, stream_unary, unary_stream, unary_unary
from plugsmith_runtime.grpc.status import StatusCode, StatusError

LIMIT = 20.0
KINDS = "test.Kinds"
REVERSE, COUNT, JOIN, DOUBLE, FAIL, WAIT, WAIT_STREAM = (
    f"/{KINDS}/{name}" for name in ("Reverse", "Count", "Join", "Double", "Fail", "Wait", "WaitStream")
)


@dataclass
class Seen:
    """What a server saw.

    Attributes:
        began: set when a call of Wait has begun.
        cancelled: set when one was cancelled.
        release: lets calls of Wait end.
        sent: messages that Count has sent.
        received: messages that Join has received.
    """

    began: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0
    received: int = 0

    async def wait(self) -> bytes:
        """Wait until the call is cancelled or released."""
        self.began.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return b"released"


def own_service(seen: Seen) -> Service:
    """The service for the runtime's server."""

    async def reverse(request: bytes, call: ServerCall) -> bytes:
        metadata = dict(call.metadata)
        if "x-say" in metadata:
            call.send_initial_metadata([("x-said", metadata["x-say"]), ("x-raw-bin", metadata["x-raw-bin"])])
            call.set_trailing_metadata([("x-end", "over"), ("x-end-bin", b"\xff\x00")])
        return request[::-1]

    async def count(request: bytes, call: ServerCall) -> AsyncGenerator[bytes, None]:
        number, size = map(int, request.split())
        for index in range(number):
            seen.sent += 1
            yield b"%d" % index + bytes(size)

    async def join(requests: AsyncIterator[bytes], call: ServerCall) -> bytes:
        parts = []
        async for request in requests:
            if request == b"wait":
                await seen.wait()
            seen.received += 1
            parts.append(request[:10])
        return b",".join(parts)

    async def double(requests: AsyncIterator[bytes], call: ServerCall) -> AsyncGenerator[bytes, None]:
        async for request in requests:
            yield request * 2

    async def fail(request: bytes, call: ServerCall) -> bytes:
        raise StatusError(StatusCode.FAILED_PRECONDITION, "100 % no: é\n", [("x-why-bin", b"\x01\x02")])

    async def wait(request: bytes, call: ServerCall) -> bytes:
        return await seen.wait()

    async def wait_stream(requests: AsyncIterator[bytes], call: ServerCall) -> AsyncGenerator[bytes, None]:
        yield b"began"
        yield await seen.wait()

    methods = [
        unary_unary("Reverse", reverse),
        unary_stream("Count", count),
        stream_unary("Join", join),
        stream_stream("Double", double),
        unary_unary("Fail", fail),
        unary_unary("Wait", wait),
        stream_stream("WaitStream", wait_stream),
    ]
    return Service(KINDS, methods)


# Generic in one package of types and not in the other.
_GenericRpcHandler: Any = grpc.GenericRpcHandler


class GrpcioKinds(_GenericRpcHandler):  # type: ignore[misc]
    """The service for grpcio's server."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def service(self, details: Any) -> Any:
        """See grpc.GenericRpcHandler."""
        found: dict[str, tuple[Any, Any]] = {
            REVERSE: (grpc.unary_unary_rpc_method_handler, self._reverse),
            COUNT: (grpc.unary_stream_rpc_method_handler, self._count),
            JOIN: (grpc.stream_unary_rpc_method_handler, self._join),
            DOUBLE: (grpc.stream_stream_rpc_method_handler, self._double),
            FAIL: (grpc.unary_unary_rpc_method_handler, self._fail),
            WAIT: (grpc.unary_unary_rpc_method_handler, self._wait),
            WAIT_STREAM: (grpc.stream_stream_rpc_method_handler, self._wait_stream),
        }
        make, behaviour = found.get(details.method, (None, None))
        return make(behaviour) if make else None

    async def _reverse(self, request: bytes, context: Any) -> bytes:
        metadata = dict(context.invocation_metadata())
        if "x-say" in metadata:
            await context.send_initial_metadata((("x-said", metadata["x-say"]), ("x-raw-bin", metadata["x-raw-bin"])))
            context.set_trailing_metadata((("x-end", "over"), ("x-end-bin", b"\xff\x00")))
        return request[::-1]

    async def _count(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        number, size = map(int, request.split())
        for index in range(number):
            self._seen.sent += 1
            yield b"%d" % index + bytes(size)

    async def _join(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        return b",".join([request[:10] async for request in requests])

    async def _double(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request * 2

    async def _fail(self, request: bytes, context: Any) -> None:
        code = grpc.StatusCode.FAILED_PRECONDITION
        await context.abort(code, "100 % no: é\n", (("x-why-bin", b"\x01\x02"),))

    async def _wait(self, request: bytes, context: Any) -> bytes:
        return await self._seen.wait()

    async def _wait_stream(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        yield b"began"
        yield await self._seen.wait()


@asynccontextmanager
async def grpcio_server(
    *handlers: Any,
    credentials: grpc.ServerCredentials | None = None,
    address: str = "127.0.0.1:0",
    compression: grpc.Compression | None = None,
    max_metadata: int = 8192,
) -> AsyncIterator[str]:
    """A server of grpcio; gives the target of a channel."""
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    options += [("grpc.max_metadata_size", max_metadata), ("grpc.absolute_max_metadata_size", 2 * max_metadata)]
    server = grpc.aio.server(options=options, compression=compression)
    server.add_generic_rpc_handlers(handlers)
    port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    await server.start()
    try:
        yield address if address.startswith("unix:") else f"localhost:{port}"
    finally:
        await server.stop(0)


@asynccontextmanager
async def own_server(
    services: Sequence[Service], options: ServerOptions | None = None, tls: Any = None, path: str | None = None
) -> AsyncIterator[tuple[Server, str]]:
    """A server of the runtime; gives it and the target of a channel."""
    server = Server(services, options)
    loop = asyncio.get_running_loop()
    if path is not None:
        acceptor = await loop.create_unix_server(server.protocol, path)
    else:
        acceptor = await loop.create_server(server.protocol, "127.0.0.1", 0, ssl=tls)
    try:
        yield server, f"unix:{path}" if path else f"localhost:{acceptor.sockets[0].getsockname()[1]}"
    finally:
        await server.stop([acceptor], 0.0)


async def messages(*given: bytes) -> AsyncIterator[bytes]:
    """A stream of requests."""
    for message in given:
        yield message
