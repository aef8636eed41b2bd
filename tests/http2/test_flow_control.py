"""Flow control in place: whatever the peer allows, in any order, nothing exceeds its windows and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hpack import Decoder as JudgeDecoder
from hypothesis import given, settings
from hypothesis import strategies as st
from plugsmith_runtime.http2 import frames
from plugsmith_runtime.http2.flow_control import FlowController
from plugsmith_runtime.http2.frame_parser import FrameParser
from plugsmith_runtime.http2.frames import ErrorCode, ProtocolError, Setting
from plugsmith_runtime.http2.hpack import Decoder, encode
from plugsmith_runtime.http2.stream import Stream

STREAMS = (1, 3, 5)


class Peer:
    """Takes what is written and checks that it was allowed."""

    def __init__(self) -> None:
        self.window = frames.DEFAULT_WINDOW_BYTES
        self.windows = dict.fromkeys(STREAMS, frames.DEFAULT_WINDOW_BYTES)
        self.received = {stream_id: bytearray() for stream_id in STREAMS}
        self.ended: set[int] = set()

    def write(self, data: bytes) -> None:
        """See FlowController."""
        while data:
            length = int.from_bytes(data[:3], "big")
            stream_id = int.from_bytes(data[5:9], "big")
            payload, data = data[9 : 9 + length], data[9 + length :]
            assert length <= frames.MAX_FRAME_BYTES
            assert stream_id not in self.ended
            self.window -= length
            self.windows[stream_id] -= length
            # A window may be below zero by a setting, but nothing may be sent then.
            assert not length or (self.window >= 0 and self.windows[stream_id] >= 0)
            self.received[stream_id] += payload
            if not length:
                self.ended.add(stream_id)


ACTIONS = st.one_of(
    st.tuples(st.just("send"), st.sampled_from(STREAMS), st.integers(0, 80_000)),
    st.tuples(st.just("window"), st.sampled_from((0, *STREAMS)), st.integers(1, 100_000)),
    st.tuples(st.just("initial"), st.just(0), st.integers(0, 200_000)),
    st.tuples(st.just("pause"), st.just(0), st.integers(0, 1)),
)


@settings(max_examples=150, deadline=None)
@given(actions=st.lists(ACTIONS, max_size=40))
def test_nothing_exceeds_the_windows_and_nothing_is_lost(actions: list[tuple[str, int, int]]) -> None:
    peer = Peer()
    sent: set[int] = set()
    flow = FlowController(peer.write, lambda stream: sent.add(stream.stream_id), lambda: 0.0)
    owner: Any = None
    streams = {number: Stream(owner, number, frames.DEFAULT_WINDOW_BYTES, 0, 0.0) for number in STREAMS}
    expected = dict.fromkeys(STREAMS, b"")
    for action, stream_id, size in actions:
        if action == "send":
            part = bytes([size % 251]) * size
            expected[stream_id] += part
            flow.send(streams[stream_id], b"", part, b"")
        elif action == "window":
            if stream_id:
                peer.windows[stream_id] += size
            else:
                peer.window += size
            flow.window_update(streams.get(stream_id), size)
        elif action == "initial":
            for number in STREAMS:
                peer.windows[number] += size - flow.initial_window
            flow.apply_settings({Setting.INITIAL_WINDOW_SIZE: size}, streams.values())
        elif size:
            flow.pause()
        else:
            flow.resume()
    for stream in streams.values():
        flow.send(stream, b"", b"", frames.end_stream_frame(stream.stream_id))
    flow.resume()
    for number in STREAMS:
        peer.windows[number] += 10_000_000
        flow.window_update(streams[number], 10_000_000)
    peer.window += 10_000_000
    flow.window_update(None, 10_000_000)
    assert {number: bytes(data) for number, data in peer.received.items()} == expected
    assert peer.ended == sent == set(STREAMS)
    assert flow.blocked_since is None
    assert not flow.congested


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (lambda flow, stream: flow.window_update(stream, 0), ErrorCode.PROTOCOL_ERROR),
        (lambda flow, stream: flow.window_update(stream, frames.MAX_WINDOW_BYTES), ErrorCode.FLOW_CONTROL_ERROR),
        (lambda flow, stream: flow.window_update(None, frames.MAX_WINDOW_BYTES), ErrorCode.FLOW_CONTROL_ERROR),
        (lambda flow, stream: flow.apply_settings({Setting.MAX_FRAME_SIZE: 1}, [stream]), ErrorCode.PROTOCOL_ERROR),
        (
            lambda flow, stream: flow.apply_settings({Setting.INITIAL_WINDOW_SIZE: 2**31}, [stream]),
            ErrorCode.FLOW_CONTROL_ERROR,
        ),
    ],
)
def test_windows_that_are_not_allowed(broken: Callable[[FlowController, Stream], None], code: ErrorCode) -> None:
    owner: Any = None
    flow = FlowController(lambda data: None, lambda stream: None, lambda: 0.0)
    with pytest.raises(ProtocolError) as refused:
        broken(flow, Stream(owner, 1, frames.DEFAULT_WINDOW_BYTES, 0, 0.0))
    assert refused.value.code is code


class Blocks:
    """A frame handler that keeps header blocks."""

    def __init__(self) -> None:
        self.found: list[tuple[int, bytes, bool]] = []

    def on_headers(self, stream_id: int, block: bytes, ended: bool) -> None:
        """See FrameHandler."""
        self.found.append((stream_id, block, ended))

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"no {name} is due")


@settings(max_examples=50, deadline=None)
@given(size=st.integers(0, 60_000), ended=st.booleans(), cuts=st.lists(st.integers(1, 30_000), max_size=5))
def test_header_blocks_of_any_size(size: int, ended: bool, cuts: list[int]) -> None:
    fields = [(b"x-first", b"a"), (b"x-long", b"b" * size)]
    block = encode(*fields)
    assert JudgeDecoder(max_header_list_size=1 << 20).decode(block, raw=True) == fields
    assert Decoder(1 << 20).decode(block) == dict(fields)
    handler = Blocks()
    parser = FrameParser(handler, 1 << 20, expect_preface=False)
    data = frames.headers_frame(7, block, ended)
    for cut in cuts:
        parser.feed(data[:cut])
        data = data[cut:]
    parser.feed(data)
    assert handler.found == [(7, block, ended)]
    assert not parser.has_partial_frame
