"""The floor of the Unix socket: an asyncio protocol on uvloop that echoes frames. The argument is the socket's path."""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop  # type: ignore[import-not-found, unused-ignore]


class Echo(asyncio.Protocol):
    """Answers every whole frame with itself."""

    transport: asyncio.Transport
    held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        held = self.held + data if self.held else data
        start = 0
        while len(held) - start >= 4:
            end = start + 4 + int.from_bytes(held[start : start + 4])
            if len(held) < end:
                break
            self.transport.write(held[start:end])
            start = end
        self.held = held[start:]


async def main(path: str) -> None:
    server = await asyncio.get_running_loop().create_unix_server(Echo, path)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
