"""Length-prefixed framing in place: any messages, in pieces of any size, come out as they went in."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugsmith_runtime.unix_stream.framing import LENGTH_BYTES, FrameDecoder, FrameTooLongError, encode_frame

MAX_BYTES = 100


@given(
    messages=st.lists(st.binary(max_size=MAX_BYTES), max_size=6),
    cuts=st.lists(st.integers(min_value=0, max_value=700), max_size=8),
)
def test_messages_come_out_as_they_went_in(messages: list[bytes], cuts: list[int]) -> None:
    sent = b"".join(encode_frame(message) for message in messages)
    places = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
    decoder = FrameDecoder(MAX_BYTES)
    pieces = [sent[start:end] for start, end in itertools.pairwise(places)]
    assert [message for piece in pieces for message in decoder.feed(piece)] == messages
    assert not decoder.has_partial_frame


@given(st.integers(min_value=MAX_BYTES + 1, max_value=2**32 - 1), st.integers(min_value=0, max_value=LENGTH_BYTES - 1))
def test_a_length_over_the_limit_is_refused_as_soon_as_it_is_known(size: int, first: int) -> None:
    decoder = FrameDecoder(MAX_BYTES)
    length = size.to_bytes(LENGTH_BYTES, "big")
    assert decoder.feed(encode_frame(b"before") + length[:first]) == [b"before"]
    with pytest.raises(FrameTooLongError) as refused:
        decoder.feed(length[first:])
    assert refused.value.size == size
