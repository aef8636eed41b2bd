"""A gRPC client that writes its HTTP/2 frames itself, and so can do everything wrong."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from hpack import Decoder, Encoder

LIMIT = 20.0
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
ACK = END_STREAM = 1
END_HEADERS, PADDED = 4, 8
INVOKE = "/cpex.PluginService/InvokeHook"
CONFIGS = "/cpex.PluginService/GetPluginConfigs"


@dataclass(frozen=True)
class Frame:
    """A frame as it came."""

    kind: int
    flags: int
    stream: int
    payload: bytes


@dataclass
class Answer:
    """What came on one stream.

    Attributes:
        headers: all fields, those at the end included.
        data: the whole body.
        reset: the code with which the server ended the stream, None when it did not.
    """

    headers: dict[str, str] = field(default_factory=dict)
    data: bytes = b""
    reset: int | None = None
    ended: bool = False

    @property
    def status(self) -> int:
        """The gRPC status."""
        return int(self.headers["grpc-status"])

    @property
    def text(self) -> str:
        """The gRPC status's text."""
        return self.headers.get("grpc-message", "")


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Write a frame."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def message(data: bytes, compressed: bool = False) -> bytes:
    """Write a gRPC message."""
    return bytes([compressed]) + len(data).to_bytes(4, "big") + data


class Http2Peer:
    """A connection to a gRPC server.

    Args:
        endpoint: as the server prints it.
        greet: whether to do what clients do by themselves: send the preface and empty settings, answer the server's
            settings and pings, take any amount of data (but no more than the protocol's default of one stream).
    """

    def __init__(self, endpoint: str, greet: bool = True) -> None:
        place = endpoint.partition("://")[2]
        if endpoint.startswith("grpc+unix"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(LIMIT)
            self.socket.connect(place)
        else:
            host, _, port = place.rpartition(":")
            self.socket = socket.create_connection((host, int(port)), LIMIT)
        self.encoder, self.decoder = Encoder(), Decoder()
        self.answers: dict[int, Answer] = {}
        self.seen: list[Frame] = []
        self._next = 1
        self._buffer = b""
        self._polite = greet
        if greet:
            self.send(PREFACE + frame(SETTINGS, 0, 0))

    def __enter__(self) -> Http2Peer:
        return self

    def __exit__(self, *problem: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def head(self, path: str = INVOKE, ended: bool = False, **extra: str) -> tuple[int, bytes]:
        """The frame that begins a request, and its stream; further fields have underscores for hyphens."""
        stream, self._next = self._next, self._next + 2
        fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "test", "te": "trailers"}
        fields |= {"content-type": "application/grpc"} | {name.replace("_", "-"): text for name, text in extra.items()}
        self.answers[stream] = Answer()
        flags = END_HEADERS | (END_STREAM if ended else 0)
        return stream, frame(HEADERS, flags, stream, self.encoder.encode(list(fields.items())))

    def request(self, data: bytes = b"", path: str = CONFIGS, **extra: str) -> int:
        """Send a whole small request; returns its stream."""
        stream, head = self.head(path, False, **extra)
        self.send(head + frame(DATA, END_STREAM, stream, message(data)))
        return stream

    def receive(self) -> Frame:
        """The next frame; the state of the streams is kept up to date.

        Raises:
            EOFError: the server closed the connection.
        """
        while len(self._buffer) < 9 or len(self._buffer) < 9 + int.from_bytes(self._buffer[:3], "big"):
            try:
                part = self.socket.recv(1 << 16)
            except ConnectionResetError:
                part = b""
            if not part:
                raise EOFError("the server closed the connection")
            self._buffer += part
        end = 9 + int.from_bytes(self._buffer[:3], "big")
        kind, flags, stream = self._buffer[3], self._buffer[4], int.from_bytes(self._buffer[5:9], "big")
        found = Frame(kind, flags, stream, self._buffer[9:end])
        self._buffer = self._buffer[end:]
        self._take(found)
        self.seen.append(found)
        return found

    def answer(self, stream: int) -> Answer:
        """Read until a stream has ended."""
        answer = self.answers[stream]
        while not answer.ended:
            self.receive()
        return answer

    def call(self, data: bytes = b"", path: str = CONFIGS, **extra: str) -> Answer:
        """Make a call and wait for its answer."""
        return self.answer(self.request(data, path, **extra))

    def receive_until(self, kind: int) -> Frame:
        """Read until a frame of a kind comes."""
        while (found := self.receive()).kind != kind:
            pass
        return found

    def goodbye(self) -> tuple[int, str]:
        """Read to the end of the connection: the code and the text of the last GOAWAY.

        Raises:
            AssertionError: there was none.
        """
        try:
            while True:
                self.receive()
        except EOFError:
            last = [found for found in self.seen if found.kind == GOAWAY][-1:]
            assert last, "the connection was closed without a GOAWAY"
            return int.from_bytes(last[0].payload[4:8], "big"), last[0].payload[8:].decode()

    def _take(self, found: Frame) -> None:
        if found.kind == PING and not found.flags & ACK and self._polite:
            self.send(frame(PING, ACK, 0, found.payload))
        if found.kind == SETTINGS and not found.flags & ACK and self._polite:
            self.send(frame(SETTINGS, ACK, 0))
        if found.kind == DATA and found.payload and self._polite:
            self.send(frame(WINDOW_UPDATE, 0, 0, len(found.payload).to_bytes(4, "big")))
        answer = self.answers.get(found.stream)
        if answer is None:
            return
        if found.kind == HEADERS:
            answer.headers |= {str(name): str(text) for name, text in self.decoder.decode(found.payload)}
        elif found.kind == DATA:
            answer.data += found.payload
        elif found.kind == RST_STREAM and not answer.ended:
            answer.reset = int.from_bytes(found.payload, "big")
        answer.ended |= found.kind == RST_STREAM or (found.kind in (HEADERS, DATA) and bool(found.flags & END_STREAM))
