"""A server that is told frame by frame what to send, and so can do what no good server does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from plugsmith_runtime.http2 import frames
from plugsmith_runtime.http2.hpack import encode

LIMIT = 20.0
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS = 4
REFUSED_STREAM, CANCEL = 7, 8


class FakeServer:
    """One connection of a server that is told what to send."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def greet(self, **settings: int) -> None:
        """Read the client's preface, and send the settings."""
        await self._reader.readexactly(len(frames.PREFACE))
        self.send(frames.settings_frame({frames.Setting[name]: value for name, value in settings.items()}))

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()

    async def frame(self, *kinds: int) -> tuple[int, int, int, bytes]:
        """The next frame of some kinds: kind, flags, stream, payload; others are passed over."""
        while True:
            head = await self._reader.readexactly(9)
            payload = await self._reader.readexactly(int.from_bytes(head[:3], "big"))
            if head[3] in kinds:
                return head[3], head[4], int.from_bytes(head[5:], "big"), payload

    def headers(self, stream: int, *fields: tuple[bytes, bytes], ended: bool = False) -> None:
        """Send fields."""
        block = encode(*fields)
        self.send(frames.frame(HEADERS, END_HEADERS | (END_STREAM if ended else 0), stream, block))

    def answer(self, stream: int, message: bytes, parts: int = 1) -> None:
        """Answer a call with a message, in some parts."""
        body = len(message).to_bytes(5, "big") + message
        self.headers(stream, (b":status", b"200"), (b"content-type", b"application/grpc"))
        size = -(-len(body) // parts)
        for place in range(0, len(body), size):
            self.send(frames.frame(DATA, 0, stream, body[place : place + size]))
        self.headers(stream, (b"grpc-status", b"0"), ended=True)

    def status(self, stream: int, code: bytes, text: bytes) -> None:
        """End a call without an answer."""
        fields = (b":status", b"200"), (b"grpc-status", code), (b"grpc-message", text)
        self.headers(stream, *fields, ended=True)


Serve = Callable[[FakeServer], Awaitable[None]]


@asynccontextmanager
async def fake_server(serve: Serve) -> AsyncIterator[str]:
    """A server of one connection; gives the target. Waits for the end of `serve`, and raises what that raises."""
    served: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(FakeServer(reader, writer))
            served.set_result(None)
        except BaseException as error:
            served.set_exception(error)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server, asyncio.timeout(LIMIT):
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await served
