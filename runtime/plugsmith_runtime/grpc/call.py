"""gRPC calls on HTTP/2 streams: one request and one answer, or messages both ways as they come."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..http2 import Fields, Stream
from .messages import decode_message, encode_message, message_length
from .status import StatusCode, StatusError, begin, end, refusal

logger = logging.getLogger(__name__)

# Messages of a stream that wait for its method, which answers each before it takes the next.
_MOST_WAITING = 100
_UNITS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}


@dataclass(slots=True)
class ReceiveBudget:
    """How much of requests is kept in memory before they are whole.

    Attributes:
        message_bytes: the largest message that is read.
        most: bytes of all requests that are not whole yet.
        held: such bytes now.
        read_time: seconds in which a request must arrive, for the refusal's text.
    """

    message_bytes: int
    most: int
    read_time: float
    held: int = 0


class Call(ABC):
    """One call.

    Args:
        stream: the stream that it came on.
        fields: the request's fields.
        intake: limits what is kept of requests.

    Attributes:
        fields: the request's fields.
        info: what the server keeps with the connection.
    """

    __slots__ = ("_begun", "_body", "_held", "_intake", "_stream", "_task", "_timer", "fields", "info")

    def __init__(self, stream: Stream, fields: Fields, intake: ReceiveBudget) -> None:
        self.fields = fields
        self.info: Any = stream.connection.info
        self._stream = stream
        self._intake = intake
        self._body: bytes | bytearray = b""
        self._held = 0
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._begun = False
        if timeout := fields.get(b"grpc-timeout"):
            self._timer = asyncio.get_running_loop().call_later(_seconds(timeout), self._expire)

    def data(self, chunk: bytes, ended: bool) -> None:
        """See StreamHandler."""
        if self._stream.gone:
            return
        if self._body:
            self._body += chunk
        else:
            # Most requests come in one piece, which needs no copy.
            self._body = chunk if ended else bytearray(chunk)
        try:
            self._take(ended)
            if not ended:
                self._hold(len(self._body))
        except StatusError as error:
            self._refuse(error)

    def late(self) -> None:
        """See StreamHandler."""
        text = f"the request did not arrive within {self._intake.read_time:g} s (PLUGINS_READ_TIMEOUT)"
        self._refuse(StatusError(StatusCode.DEADLINE_EXCEEDED, text))

    def reset(self) -> None:
        """See StreamHandler."""
        self._hold(0)
        if self._timer is not None:
            self._timer.cancel()
        if self._task is None or self._task.done():
            self._stream.close()
        else:
            # What the method does until it is cancelled still counts as a request of this connection.
            self._task.add_done_callback(lambda _: self._stream.close())
            self._task.cancel()

    @abstractmethod
    def _take(self, ended: bool) -> None:
        """Look at what has come of the body."""

    def _start(self, work: Callable[[], Awaitable[bytes]]) -> None:
        self._hold(0)
        self._task = asyncio.get_running_loop().create_task(self._run(work))

    async def _run(self, work: Callable[[], Awaitable[bytes]]) -> None:
        number = self._stream.number
        try:
            data = await work()
        except StatusError as error:
            self._end(error)
        except Exception:
            logger.exception("grpc: a call failed inside the server")
            self._end(StatusError(StatusCode.INTERNAL, "the call failed inside the server; its log has the reason"))
        else:
            if self._timer is not None:
                self._timer.cancel()
            self._stream.send(b"" if self._begun else begin(number), data, end(number))

    def _refuse(self, problem: StatusError) -> None:
        self._end(problem)
        if self._task is not None:
            self._task.cancel()

    def _end(self, problem: StatusError) -> None:
        self._hold(0)
        if self._timer is not None:
            self._timer.cancel()
        self._body = b""
        self._stream.send(b"", b"", refusal(self._stream.number, problem, self._begun))

    def _hold(self, size: int) -> None:
        intake = self._intake
        intake.held += size - self._held
        self._held = size
        if intake.held > intake.most and size:
            text = f"the server reads too many large requests at once ({intake.most} bytes); send it again later"
            raise StatusError(StatusCode.RESOURCE_EXHAUSTED, text)

    def _expire(self) -> None:
        self._refuse(StatusError(StatusCode.DEADLINE_EXCEEDED, "the caller's time for the call is over"))


class UnaryCall(Call):
    """One request, one answer.

    Args:
        stream: see Call.
        fields: see Call.
        intake: see Call.
        method: makes the answer's message of the request's.
    """

    __slots__ = ("_method",)

    def __init__(
        self, stream: Stream, fields: Fields, intake: ReceiveBudget, method: Callable[[bytes, Call], Awaitable[bytes]]
    ) -> None:
        super().__init__(stream, fields, intake)
        self._method = method

    def _take(self, ended: bool) -> None:
        if ended:
            self._start(self._answer)
        elif 0 < message_length(self._body, self._intake.message_bytes) < len(self._body):
            raise StatusError(StatusCode.INTERNAL, "the request is more than one message")

    async def _answer(self) -> bytes:
        message = decode_message(self._body, self._intake.message_bytes)
        self._body = b""
        return encode_message(await self._method(message, self))


class StreamingCall(Call):
    """Messages both ways.

    Args:
        stream: see Call.
        fields: see Call.
        intake: see Call.
        method: reads and sends messages; the call ends with it.
    """

    __slots__ = ("_arrived", "_ended", "_messages")

    def __init__(
        self,
        stream: Stream,
        fields: Fields,
        intake: ReceiveBudget,
        method: Callable[[StreamingCall], Awaitable[None]],
    ) -> None:
        super().__init__(stream, fields, intake)
        self._messages: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._ended = False
        self._start(partial(self._all, method))

    async def receive(self) -> bytes | None:
        """The next message; None after the last."""
        while not self._messages:
            if self._ended:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        return self._messages.popleft()

    async def send(self, message: bytes) -> None:
        """Send a message and wait until the client takes it."""
        first = b"" if self._begun else begin(self._stream.number)
        self._begun = True
        self._stream.send(first, encode_message(message), b"")
        await self._stream.drained()

    def late(self) -> None:
        """See StreamHandler: the messages of a stream may come at any time."""

    def finish(self) -> None:
        """Take no more messages: `receive` says that there are none."""
        self._ended = True
        self._arrived.set()

    def _take(self, ended: bool) -> None:
        limit = self._intake.message_bytes
        while (size := message_length(self._body, limit)) and len(self._body) >= size:
            self._messages.append(decode_message(self._body[:size], limit))
            self._body = self._body[size:]
        if len(self._messages) > _MOST_WAITING:
            raise StatusError(StatusCode.RESOURCE_EXHAUSTED, f"more than {_MOST_WAITING} messages wait to be answered")
        self._ended = ended
        self._arrived.set()

    async def _all(self, method: Callable[[StreamingCall], Awaitable[None]]) -> bytes:
        await method(self)
        return b""


def _seconds(timeout: bytes) -> float:
    """Read a timeout as gRPC writes it: at most eight digits and a unit.

    Raises:
        StatusError: it is none.
    """
    amount, unit = timeout[:-1], timeout[-1:]
    if unit not in _UNITS or not amount.isdigit() or len(amount) > 8:
        raise StatusError(StatusCode.INVALID_ARGUMENT, "grpc-timeout is up to eight digits and one of H, M, S, m, u, n")
    return int(amount) * _UNITS[unit]
