"""What the protocol forbids, and what HPACK allows: clients that break HTTP/2 are told how, and harm nobody."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hpack import Encoder
from hypothesis import given, settings
from hypothesis import strategies as st
from plugsmith_runtime.http2.hpack import Decoder

from tests.support.http2 import (
    ACK,
    CONFIGS,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Http2Peer,
    frame,
    message,
)
from tests.support.processes import resident
from tests.support.serving import Served

NO_ERROR, PROTOCOL, FLOW_CONTROL, STREAM_CLOSED, FRAME_SIZE, COMPRESSION = 0, 1, 3, 5, 6, 9
ONE, MOST = (1).to_bytes(4, "big"), (2**31 - 1).to_bytes(4, "big")
WRONG = {
    "not HTTP/2": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", PROTOCOL),
    "a frame too large": (PREFACE + frame(DATA, 0, 1, b"x" * 16_385), FRAME_SIZE),
    "data on no stream": (PREFACE + frame(DATA, 0, 0, b"x"), PROTOCOL),
    "data before a request": (PREFACE + frame(DATA, 0, 1, b"x"), PROTOCOL),
    "fields on no stream": (PREFACE + frame(HEADERS, END_HEADERS, 0, b"\x82"), PROTOCOL),
    "an even stream": (PREFACE + frame(HEADERS, END_HEADERS, 2, b"\x82"), PROTOCOL),
    "padding beyond the frame": (PREFACE + frame(HEADERS, END_HEADERS | PADDED, 1, b"\x09\x82"), PROTOCOL),
    "a stream that depends on itself": (PREFACE + frame(HEADERS, END_HEADERS | 0x20, 1, ONE + b"\0\x82"), PROTOCOL),
    "a frame inside a header block": (PREFACE + frame(HEADERS, 0, 1, b"\x82") + frame(PING, 0, 0, bytes(8)), PROTOCOL),
    "a continuation of nothing": (PREFACE + frame(CONTINUATION, END_HEADERS, 1, b"\x82"), PROTOCOL),
    "an index of nothing": (PREFACE + frame(HEADERS, END_HEADERS, 1, b"\x80"), COMPRESSION),
    "an index beyond the table": (PREFACE + frame(HEADERS, END_HEADERS, 1, b"\xff\x20"), COMPRESSION),
    "a string that is cut off": (PREFACE + frame(HEADERS, END_HEADERS, 1, b"\x00\x05ab"), COMPRESSION),
    "a Huffman code that is cut off": (PREFACE + frame(HEADERS, END_HEADERS, 1, b"\x00\x81\x00\x00"), COMPRESSION),
    "a number without end": (PREFACE + frame(HEADERS, END_HEADERS, 1, b"\xff" * 20), COMPRESSION),
    "a table larger than offered": (PREFACE + frame(HEADERS, END_HEADERS, 1, b"\x3f\xe2\x1f"), COMPRESSION),
    "half a setting": (PREFACE + frame(SETTINGS, 0, 0, b"\0\4\0"), FRAME_SIZE),
    "settings on a stream": (PREFACE + frame(SETTINGS, 0, 1), PROTOCOL),
    "a full acknowledgement": (PREFACE + frame(SETTINGS, ACK, 0, bytes(6)), FRAME_SIZE),
    "a window out of range": (PREFACE + frame(SETTINGS, 0, 0, b"\0\4\xff\xff\xff\xff"), FLOW_CONTROL),
    "frames too small": (PREFACE + frame(SETTINGS, 0, 0, b"\0\5\0\0\0\1"), PROTOCOL),
    "a short ping": (PREFACE + frame(PING, 0, 0, b"x"), FRAME_SIZE),
    "a ping on a stream": (PREFACE + frame(PING, 0, 1, bytes(8)), PROTOCOL),
    "a short reset": (PREFACE + frame(RST_STREAM, 0, 1, b"x"), FRAME_SIZE),
    "a reset before a request": (PREFACE + frame(RST_STREAM, 0, 1, bytes(4)), PROTOCOL),
    "a window that grows by nothing": (PREFACE + frame(WINDOW_UPDATE, 0, 0, bytes(4)), PROTOCOL),
    "a window that overflows": (PREFACE + frame(WINDOW_UPDATE, 0, 0, MOST), FLOW_CONTROL),
    "a window before a request": (PREFACE + frame(WINDOW_UPDATE, 0, 1, ONE), PROTOCOL),
    "a push": (PREFACE + frame(PUSH_PROMISE, END_HEADERS, 1, ONE), PROTOCOL),
    "a short priority": (PREFACE + frame(PRIORITY, 0, 1, b"x"), FRAME_SIZE),
}


@pytest.mark.parametrize(("sent", "code"), WRONG.values(), ids=WRONG.keys())
def test_what_is_forbidden(served: Served, sent: bytes, code: int) -> None:
    with Http2Peer(served.endpoints["grpc"], greet=False) as peer, Http2Peer(served.endpoints["grpc"]) as other:
        peer.send(sent)
        assert peer.goodbye()[0] == code
        assert other.call().status == 0


def test_data_after_the_end(served: Served) -> None:
    with Http2Peer(served.endpoints["grpc"]) as peer:
        stream, head = peer.head("/grpc.health.v1.Health/Watch")
        peer.send(head + frame(DATA, END_STREAM, stream, message(b"")) + frame(DATA, 0, stream, b"x"))
        assert peer.goodbye()[0] == STREAM_CLOSED


def test_what_is_allowed_but_rare(served: Served) -> None:
    with Http2Peer(served.endpoints["grpc"]) as peer:
        stream, head = peer.head(CONFIGS)
        block = head[9:]
        parts = [block[:3], block[3:3], block[3:]]
        peer.send(
            frame(PRIORITY, 0, 9, bytes(3) + b"\7\xff")
            + frame(0xEE, 0xFF, 77, b"an unknown kind")
            + frame(SETTINGS, 0, 0, b"\x0f\xff\0\0\0\1" + b"\0\1\0\0\0\0")
            + frame(HEADERS, PADDED | 0x20, stream, b"\2" + bytes(4) + b"\7" + parts[0] + b"pp")
            + frame(CONTINUATION, 0, stream, parts[1])
            + frame(CONTINUATION, END_HEADERS, stream, parts[2])
            + frame(DATA, PADDED, stream, b"\3" + message(b"")[:2] + b"ppp")
            + frame(DATA, 0, stream)
            + frame(DATA, 0, stream, message(b"")[2:])
            + frame(HEADERS, END_HEADERS | END_STREAM, stream, peer.encoder.encode([("x-trailer", "1")]))
        )
        assert peer.answer(stream).status == 0
        # What comes late for a stream that is over is ignored.
        peer.send(frame(WINDOW_UPDATE, 0, stream, ONE) + frame(RST_STREAM, 0, stream, bytes(4)))
        assert peer.call().status == 0


def test_bytes_one_by_one(served: Served) -> None:
    with Http2Peer(served.endpoints["grpc"], greet=False) as peer:
        stream, head = peer.head(CONFIGS)
        for byte in PREFACE + frame(SETTINGS, 0, 0) + head + frame(DATA, END_STREAM, stream, message(b"")):
            peer.send(bytes([byte]))
        assert peer.answer(stream).status == 0


def test_requests_that_are_no_grpc(served: Served) -> None:
    with Http2Peer(served.endpoints["grpc"]) as peer:
        assert peer.call(content_type="text/plain").headers == {":status": "415"}
        peer.answers[99] = peer.answers.pop(1)
        fields = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x")]
        peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 101, peer.encoder.encode(fields)))
        peer.answers[101] = type(peer.answers[99])()
        assert peer.answer(101).headers == {":status": "405"}


@pytest.mark.parametrize("body", [b"", b"\0", message(b"") * 2, message(b"abc")[:-1], message(b"") + b"x"])
def test_bodies_that_are_not_one_message(served: Served, body: bytes) -> None:
    with Http2Peer(served.endpoints["grpc"]) as peer:
        stream, head = peer.head(CONFIGS)
        peer.send(head + frame(DATA, END_STREAM, stream, body))
        answer = peer.answer(stream)
        assert (answer.status, answer.text) == (13, "the request is not one whole message")
        assert peer.call().status == 0


_NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
_FIELDS = st.lists(st.tuples(_NAMES, st.text(st.characters(max_codepoint=255), max_size=60)), max_size=12)


@settings(max_examples=300, deadline=None)
@given(blocks=st.lists(st.tuples(_FIELDS, st.booleans(), st.sampled_from([0, 60, 500, 4096])), max_size=8))
def test_header_fields_of_any_client(blocks: list[tuple[list[tuple[str, str]], bool, int]]) -> None:
    """With and without Huffman codes, with dynamic tables of any size, over many requests."""
    decoder, encoder = Decoder(1 << 20), Encoder()
    for fields, huffman, size in blocks:
        encoder.header_table_size = size
        raw = [(name.encode(), text.encode("latin-1")) for name, text in fields]
        expected: dict[bytes, bytes] = {}
        for name, text in raw:
            expected[name] = expected[name] + b"," + text if name in expected else text
        for _ in range(2):
            assert decoder.decode(encoder.encode(raw, huffman=huffman)) == expected


def test_random_frames(served: Served) -> None:
    """Frames of every kind with random flags, streams and contents, cut and joined anywhere."""
    rng = random.Random(5)
    before = resident(served.process.pid)
    for _ in range(1500):
        frames = [
            frame(rng.randrange(11), rng.choice([0, 1, 4, 5, 8, 13, 0x25, 255]), rng.choice([0, 1, 1, 3, 2, 2**31 - 1]),
                  rng.choice([b"", b"\x82\x84\x86", rng.randbytes(rng.choice([1, 4, 5, 6, 8, 40]))]))
            for _ in range(rng.randrange(1, 12))
        ]  # fmt: skip
        sent = PREFACE + (frame(SETTINGS, 0, 0) if rng.random() < 0.8 else b"") + b"".join(frames)
        with Http2Peer(served.endpoints["grpc"], greet=False) as peer, suppress(ConnectionError):
            peer.send(sent[: rng.randrange(len(sent))] if rng.random() < 0.3 else sent)
    with Http2Peer(served.endpoints["grpc"]) as peer:
        assert peer.call().status == 0
        assert not [found for found in peer.seen if found.kind == GOAWAY]
    assert resident(served.process.pid) - before < 20_000_000
    assert "failed inside" not in "".join(served.log)
