"""The raw client of the Unix socket.

Arguments: the socket, a file with a frame, connections, calls in flight on each, and seconds. Prints calls, seconds,
and the 50th and 99th percentile of the latency in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from pathlib import Path
from typing import cast

import uvloop  # type: ignore[import-not-found, unused-ignore]


class Caller(asyncio.Protocol):
    """Keeps a number of calls in flight on one connection until the end."""

    transport: asyncio.Transport

    def __init__(self, frame: bytes, in_flight: int, end: float) -> None:
        self.frame, self.in_flight, self.end = frame, in_flight, end
        self.sent: deque[float] = deque()
        self.latencies: list[float] = []
        self.closed = asyncio.get_running_loop().create_future()
        self.held, self.needed = bytearray(), 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.sent.extend([time.perf_counter()] * self.in_flight)
        self.transport.write(self.frame * self.in_flight)

    def data_received(self, data: bytes) -> None:
        self.held += data
        now, answers, start = time.perf_counter(), 0, 0
        while len(self.held) - start >= 4:
            end = start + 4 + int.from_bytes(self.held[start : start + 4])
            if len(self.held) < end:
                break
            start = end
            answers += 1
            self.latencies.append(now - self.sent.popleft())
        if start:
            del self.held[:start]
        if now < self.end:
            self.sent.extend([now] * answers)
            self.transport.write(self.frame * answers)
        elif not self.sent:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self.sent:
            self.closed.set_exception(error or ConnectionError("the server closed the connection"))
        else:
            self.closed.set_result(None)


async def main(path: str, file: str, connections: int, in_flight: int, seconds: float) -> None:
    frame = Path(file).read_bytes()
    start = time.perf_counter()
    loop = asyncio.get_running_loop()
    callers = [Caller(frame, in_flight, start + seconds) for _ in range(connections)]
    for caller in callers:
        await loop.create_unix_connection(lambda caller=caller: caller, path)  # type: ignore[misc]
    await asyncio.gather(*(caller.closed for caller in callers))
    lasted = time.perf_counter() - start
    ordered = sorted(second * 1e3 for caller in callers for second in caller.latencies)
    print(json.dumps([len(ordered), lasted, ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]]))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])))
