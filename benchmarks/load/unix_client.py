"""The raw client of the Unix socket.

Arguments: the version of the protocol, the socket, a file with a message, connections, calls in flight on each, and
seconds. In version 2 the message lacks the call's number. Prints calls, seconds, and the 50th and 99th percentile of
the latency in milliseconds.
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
    """Keeps a number of calls in flight on one connection of version 1 until the end."""

    transport: asyncio.Transport

    def __init__(self, message: bytes, in_flight: int, end: float) -> None:
        self.message, self.in_flight, self.end = message, in_flight, end
        self.frame = len(message).to_bytes(4) + message
        self.sent: deque[float] = deque()
        self.latencies: list[float] = []
        self.closed = asyncio.get_running_loop().create_future()
        self.held = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.call(self.in_flight, time.perf_counter())

    def call(self, count: int, now: float) -> None:
        """Send calls."""
        self.sent.extend([now] * count)
        self.transport.write(self.frame * count)

    def answered(self, answer: bytes | bytearray, now: float) -> bool:
        """Take an answer; False when it answers no call."""
        self.latencies.append(now - self.sent.popleft())
        return True

    def data_received(self, data: bytes) -> None:
        self.held += data
        now, answers, start = time.perf_counter(), 0, 0
        while len(self.held) - start >= 4:
            end = start + 4 + int.from_bytes(self.held[start : start + 4])
            if len(self.held) < end:
                break
            answers += self.answered(self.held[start + 4 : end], now)
            start = end
        if start:
            del self.held[:start]
        if now < self.end:
            self.call(answers, now)
        elif not self.sent:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self.sent:
            self.closed.set_exception(error or ConnectionError("the server closed the connection"))
        else:
            self.closed.set_result(None)


class StreamCaller(Caller):
    """The same in version 2: each call has a number, by which its answer is known."""

    # Numbers of 5 bytes each, so that all frames are of one length.
    number = 1 << 28
    began: float

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.began = time.perf_counter()
        self.head = (len(self.message) + 6).to_bytes(4) + b"\x08"
        self.times: dict[bytes, float] = {}
        transport.write(b"PSU2")  # type: ignore[attr-defined]
        super().connection_made(transport)

    def call(self, count: int, now: float) -> None:
        frames: list[bytes] = []
        for number in range(self.number, self.number + count):
            varint = bytes((number & 127 | 128, number >> 7 & 127 | 128, number >> 14 & 127 | 128,
                            number >> 21 & 127 | 128, number >> 28))  # fmt: skip
            self.times[varint] = now
            frames += (self.head, varint, self.message)
        self.number += count
        self.sent.extend([now] * count)
        self.transport.write(b"".join(frames))

    def answered(self, answer: bytes | bytearray, now: float) -> bool:
        # Field 1 comes first; the welcome has none.
        if answer[0] != 8:
            return False
        self.sent.popleft()
        self.latencies.append(now - self.times.pop(bytes(answer[1:6])))
        return True


async def main(version: str, path: str, file: str, connections: int, in_flight: int, seconds: float) -> None:
    message = Path(file).read_bytes()
    start = time.perf_counter()
    loop = asyncio.get_running_loop()
    kind = StreamCaller if version == "2" else Caller
    callers = [kind(message, in_flight, start + seconds) for _ in range(connections)]
    for caller in callers:
        await loop.create_unix_connection(lambda caller=caller: caller, path)  # type: ignore[misc]
    await asyncio.gather(*(caller.closed for caller in callers))
    lasted = time.perf_counter() - start
    ordered = sorted(second * 1e3 for caller in callers for second in caller.latencies)
    print(json.dumps([len(ordered), lasted, ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]]))


if __name__ == "__main__":
    version, path, file, connections, in_flight, seconds = sys.argv[1:]
    uvloop.run(main(version, path, file, int(connections), int(in_flight), float(seconds)))
