"""HTTP/1.1 client connections: one request at a time, with a response that is read whole or in pieces."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from http.client import parse_headers
from io import BytesIO

_HEAD_LIMIT_BYTES = 64 * 1024
_READ_BYTES = 64 * 1024

_METHODS_WITHOUT_BODY = frozenset(("DELETE", "GET", "HEAD", "OPTIONS"))
_STATUS_WITHOUT_BODY = frozenset((204, 304))


class HttpConnection:
    """An open connection.

    Args:
        reader: where responses come from.
        writer: where requests go.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def usable(self) -> bool:
        """Whether the server still holds the connection."""
        return not self._reader.at_eof() and not self._writer.is_closing()

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()

    async def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> HttpResponse:
        """Send a request and read the head of its response.

        Raises:
            ConnectionError: the server closed the connection, or sent what is no HTTP.
        """
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if body or method not in _METHODS_WITHOUT_BODY:
            lines.append(f"content-length: {len(body)}")
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        with _connection_errors():
            await self._writer.drain()
            while True:
                response = await self._head(method)
                # Interim responses (RFC 9110, 15.2) say nothing that is asked for here.
                if response.status >= 200:
                    return response

    async def _head(self, method: str) -> HttpResponse:
        head = await self._reader.readuntil(b"\r\n\r\n")
        status_line, _, rest = head.partition(b"\r\n")
        version, status, *_ = status_line.decode("latin-1").split(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError(status_line[:40])
        if len(head) > _HEAD_LIMIT_BYTES:
            raise ValueError("its headers are too long")
        headers = {name.lower(): value for name, value in parse_headers(BytesIO(rest)).items()}
        keep_alive = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        return HttpResponse(self._reader, method, int(status), headers, keep_alive)


class HttpResponse:
    """A response; read its body with `read` or `pieces`, once.

    Attributes:
        status: the HTTP status.
        headers: the headers by their names in lower case.
        reusable: whether the connection can take another request; known when the body has been read.
    """

    def __init__(
        self, reader: asyncio.StreamReader, method: str, status: int, headers: dict[str, str], keep_alive: bool
    ) -> None:
        self._reader = reader
        self._without_body = method == "HEAD" or status in _STATUS_WITHOUT_BODY
        self._keep_alive = keep_alive
        self.status = status
        self.headers = headers
        self.reusable = False

    async def read(self) -> bytes:
        """The whole body.

        Raises:
            ConnectionError: the server closed the connection, or sent what is no HTTP.
        """
        if self._without_body or "content-length" not in self.headers:
            return b"".join([piece async for piece in self.pieces()])
        with _connection_errors():
            body = await self._reader.readexactly(int(self.headers["content-length"]))
        self.reusable = self._keep_alive
        return body

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it arrives.

        Raises:
            ConnectionError: the server closed the connection, or sent what is no HTTP.
        """
        with _connection_errors():
            if self._without_body:
                pass
            elif self.headers.get("transfer-encoding", "").lower() == "chunked":
                while size := int((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16):
                    yield await self._reader.readexactly(size)
                    await self._reader.readexactly(2)
                while await self._reader.readuntil(b"\r\n") != b"\r\n":
                    pass
            elif "content-length" in self.headers:
                yield await self._reader.readexactly(int(self.headers["content-length"]))
            elif self.status != 202:  # MCP servers leave out its length
                while piece := await self._reader.read(_READ_BYTES):
                    yield piece
                return
        self.reusable = self._keep_alive


@contextlib.contextmanager
def _connection_errors() -> Iterator[None]:
    try:
        yield
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise ConnectionError("the server closed the connection before it had answered") from error
    except ValueError as error:
        raise ConnectionError(f"the server's answer is no HTTP: {error}") from error
