"""Both ends of the protocol in one event loop, with messages of no contract: it carries whatever it is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from plugsmith_runtime.errors import DecodeError, RequestNotSentError
from plugsmith_runtime.net.connections import ConnectionSet
from plugsmith_runtime.net.deadlines import LoopStallMonitor
from plugsmith_runtime.unix_stream.server_connection import ConnectionLimits, ProtocolNegotiation, ServerConnection
from plugsmith_runtime.unix_stream.v1_client import V1ConnectionPool
from plugsmith_runtime.unix_stream.v1_server import Send, V1Connection
from plugsmith_runtime.unix_stream.v2_client import Goodbye, UnsupportedVersionError, V2ClientConnection, Welcome
from plugsmith_runtime.unix_stream.v2_server import V2Connection

LIMITS = ConnectionLimits(frame_bytes=100, response_seconds=5.0, idle_seconds=5.0, read_seconds=5.0, calls=2)

Answer = Callable[[str], Awaitable[str]]


class TextCodec:
    """Frames of text: a number, a word that says what it is, and the rest."""

    def read_frame(self, message: bytes) -> tuple[int, str | Welcome | Goodbye | None]:
        number, _, text = message.decode().partition(" ")
        word, *values = text.split()
        match word:
            case "welcome":
                return 0, Welcome(*map(int, values))
            case "goodbye":
                return 0, Goodbye(int(values[0]))
            case "cancel":
                return int(number), None
            case "broken":
                raise DecodeError("broken")
        return int(number), text

    def write_welcome(self, max_frame_bytes: int, max_calls: int) -> bytes:
        return f"0 welcome {max_frame_bytes} {max_calls}".encode()

    def write_goodbye(self, last_id: int) -> bytes:
        return f"0 goodbye {last_id}".encode()

    def write_call_id(self, call_id: int) -> bytes:
        return f"{call_id} ".encode()

    def write_cancel(self, call_id: int) -> bytes:
        return f"{call_id} cancel".encode()


class Server:
    """A server of both versions, or of version 1 alone; `answer` makes the answers."""

    def __init__(self, answer: Answer, v1_alone: bool) -> None:
        self._answer = answer
        self._v1_alone = v1_alone
        self._stalls = LoopStallMonitor(lambda now: None)
        self.connections: ConnectionSet[ServerConnection] = ConnectionSet("test")

    async def serve(self, path: str) -> asyncio.AbstractServer:
        return await asyncio.get_running_loop().create_unix_server(self._accept, path)

    def stop(self) -> None:
        self._stalls.stop()

    def _accept(self) -> ServerConnection:
        if self._v1_alone:
            return V1Connection(self._answer_v1, self._stalls, LIMITS, self.connections.discard)
        return ProtocolNegotiation(self._admit, self._upgrade, LIMITS, self.connections.discard)

    def _admit(self, connection: ServerConnection, transport: asyncio.BaseTransport) -> bool:
        self.connections.add(connection)
        return True

    def _upgrade(self, negotiation: ServerConnection, version: int) -> ServerConnection:
        connection: ServerConnection
        if version == 2:
            connection = V2Connection(TextCodec(), self._answer_v2, LIMITS, self.connections.discard)
        else:
            connection = V1Connection(self._answer_v1, self._stalls, LIMITS, self.connections.discard)
        self.connections.add(connection)
        self.connections.discard(negotiation)
        return connection

    async def _answer_v1(self, request: bytes, send: Send) -> bool:
        send((await self._answer(request.decode())).encode())
        return True

    async def _answer_v2(self, request: str, size: int) -> bytes:
        return (await self._answer(request)).encode()


@asynccontextmanager
async def serving(path: Path, answer: Answer, v1_alone: bool = False) -> AsyncIterator[tuple[str, Server]]:
    server = Server(answer, v1_alone)
    listening = await server.serve(str(path / "s"))
    try:
        yield str(path / "s"), server
    finally:
        await server.connections.drain([listening], 5.0)
        server.stop()


async def _upper(request: str) -> str:
    return request.upper()


@pytest.mark.asyncio
async def test_version_1_answers_each_call_on_its_connection(short_path: Path) -> None:
    async with serving(short_path, _upper) as (path, server):
        pool = await V1ConnectionPool.open(path)
        answers = await asyncio.gather(*(pool.request(b"call %d" % n) for n in range(40)))
        assert answers == [b"CALL %d" % n for n in range(40)]
        # Calls wait for a free connection.
        assert len(server.connections) == 16
        pool.close()


@pytest.mark.asyncio
async def test_version_2_answers_in_any_order(short_path: Path) -> None:
    second = asyncio.Event()

    async def answer(request: str) -> str:
        number = int(request.split()[1])
        if number == 1:
            await second.wait()
        else:
            second.set()
        return f"{number} done"

    async with serving(short_path, answer) as (path, server):
        connection = await V2ClientConnection.open(path, TextCodec())
        first, last = await asyncio.gather(connection.request(b"call 1"), connection.request(b"call 2"))
        assert (first, last) == ("done", "done")
        assert len(server.connections) == 1
        with pytest.raises(ValueError, match="the server reads at most 100"):
            await connection.request(b"x" * 100)
        connection.close()


@pytest.mark.asyncio
async def test_a_cancelled_call_of_version_2_is_cancelled_in_the_server(short_path: Path) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def answer(request: str) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return ""

    async with serving(short_path, answer) as (path, _):
        connection = await V2ClientConnection.open(path, TextCodec())
        call = asyncio.create_task(connection.request(b"call 1"))
        await begun.wait()
        call.cancel()
        await asyncio.wait_for(cancelled.wait(), 5.0)
        connection.close()


@pytest.mark.asyncio
async def test_a_server_that_stops_answers_what_it_has_taken(short_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def answer(request: str) -> str:
        begun.set()
        await go_on.wait()
        return "1 done"

    async with serving(short_path, answer) as (path, server):
        connection = await V2ClientConnection.open(path, TextCodec())
        call = asyncio.create_task(connection.request(b"call 1"))
        await begun.wait()
        stopping = asyncio.create_task(server.connections.drain([], 5.0))
        while connection.usable:
            await asyncio.sleep(0)
        with pytest.raises(RequestNotSentError):
            await connection.request(b"call 2")
        go_on.set()
        assert await call == "done"
        await stopping
        assert not len(server.connections)


@pytest.mark.asyncio
async def test_a_message_that_cannot_be_decoded_ends_the_connection(short_path: Path) -> None:
    async with serving(short_path, _upper) as (path, _):
        connection = await V2ClientConnection.open(path, TextCodec())
        with pytest.raises(ConnectionResetError):
            await connection.request(b"broken")
        assert not connection.usable


@pytest.mark.asyncio
async def test_a_server_of_version_1_does_not_take_the_preface(short_path: Path) -> None:
    async with serving(short_path, _upper, v1_alone=True) as (path, _):
        with pytest.raises(UnsupportedVersionError):
            await V2ClientConnection.open(path, TextCodec())
