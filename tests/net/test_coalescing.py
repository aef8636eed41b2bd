"""The writer that coalesces: how many writes reach the socket, and what they hold."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import cast

import pytest
import pytest_asyncio
from plugsmith_runtime.net.connections import CoalescingWriter


@pytest_asyncio.fixture
async def ends() -> AsyncIterator[tuple[CoalescingWriter, socket.socket]]:
    """A writer over one end of a pair of sockets that keep the borders of writes, and the other end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.setblocking(False)
    _, writer = await asyncio.open_connection(sock=_stream(ours))
    yield CoalescingWriter(cast(asyncio.Transport, writer.transport)), theirs
    writer.close()
    theirs.close()


def _stream(sock: socket.socket) -> socket.socket:
    """asyncio takes sockets of streams only; to it this one is one."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=sock.detach())


@pytest.mark.asyncio
async def test_what_is_written_in_one_turn_goes_out_in_one_write(ends: tuple[CoalescingWriter, socket.socket]) -> None:
    writer, theirs = ends
    writer.write(b"a")
    writer.write(b"b")
    with pytest.raises(BlockingIOError):
        theirs.recv(100)
    await asyncio.sleep(0)
    assert theirs.recv(100) == b"ab"


@pytest.mark.asyncio
async def test_the_last_of_a_turn_goes_out_at_once_with_all_before_it(
    ends: tuple[CoalescingWriter, socket.socket],
) -> None:
    writer, theirs = ends
    writer.write(b"alone", more=False)
    assert theirs.recv(100) == b"alone"
    writer.write(b"a")
    writer.write(b"b", more=False)
    assert theirs.recv(100) == b"ab"


@pytest.mark.asyncio
async def test_much_does_not_wait(ends: tuple[CoalescingWriter, socket.socket]) -> None:
    writer, theirs = ends
    writer.write(b"x" * 40_000)
    writer.write(b"y" * 40_000)
    assert len(theirs.recv(100_000)) == 80_000
