"""HTTP/1.1 as a client needs it: one request at a time on one connection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http.client import parse_headers
from io import BytesIO

_HEAD_LIMIT = 64 * 1024


@dataclass(slots=True)
class HttpAnswer:
    """An answer: status, headers by their names in lower case, body, and whether the connection lives on."""

    status: int
    headers: dict[str, str]
    body: bytes
    reusable: bool


class Connection:
    """An open connection.

    Args:
        reader: where answers come from.
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

    async def request(self, method: str, path: str, headers: dict[str, str], body: bytes) -> HttpAnswer:
        """Send a request and read its answer.

        Raises:
            ConnectionError: the server closed the connection, or sent what is no HTTP.
        """
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        lines.append(f"content-length: {len(body)}")
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        try:
            await self._writer.drain()
            return await self._answer()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise ConnectionError("the server closed the connection before it had answered") from error
        except ValueError as error:
            raise ConnectionError(f"the server's answer is no HTTP: {error}") from error

    async def _answer(self) -> HttpAnswer:
        head = await self._reader.readuntil(b"\r\n\r\n")
        status_line, _, rest = head.partition(b"\r\n")
        version, status, *_ = status_line.decode("latin-1").split(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError(status_line[:40])
        if len(head) > _HEAD_LIMIT:
            raise ValueError("its headers are too long")
        headers = {name.lower(): value for name, value in parse_headers(BytesIO(rest)).items()}
        reusable = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = await self._chunks()
        elif "content-length" in headers:
            body = await self._reader.readexactly(int(headers["content-length"]))
        elif int(status) in (202, 204):
            body = b""
        else:
            body, reusable = await self._reader.read(), False
        return HttpAnswer(int(status), headers, body, reusable)

    async def _chunks(self) -> bytes:
        parts = []
        while size := int((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        while await self._reader.readuntil(b"\r\n") != b"\r\n":
            pass
        return b"".join(parts)
