"""What ends a call or a connection of version 2, and what a connection may ask for."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.in_process import serve_in_process
from tests.support.logs import logged
from tests.support.probe_server import MAX_BYTES
from tests.support.processes import resident
from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, RunningServer, Served, serve
from tests.support.unix_v1 import UnixV1Client, frame
from tests.support.unix_v2 import PREFACE, UnixV2Client, args_of

LIMIT = 20.0


def path_of(served: RunningServer) -> str:
    return served.endpoints["unix"].removeprefix("unix://")


class Watched:
    """A call whose hook says through a pipe that it has begun, and that it was cancelled."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "watched"
        os.mkfifo(self.path)
        self.reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    def says(self, letter: bytes) -> bool:
        """Whether the hook says this next; waits for it."""
        return bool(select.select([self.reader], [], [], LIMIT)[0]) and os.read(self.reader, 1) == letter


@pytest.fixture
def watched(short_path: Path) -> Iterator[Watched]:
    made = Watched(short_path)
    yield made
    os.close(made.reader)


def test_a_cancelled_call_stops_its_hook_and_gets_no_answer(stream: UnixV2Client, watched: Watched) -> None:
    stream.send(stream.invoke(1, "until_cancelled", {"pipe": str(watched.path)}))
    assert watched.says(b"b")
    stream.cancel(1)
    assert watched.says(b"c")
    assert stream.ask(2, "echo", {}).id == 2


def test_a_client_that_goes_away_cancels_its_calls(served: Served, pb2: Any, watched: Watched) -> None:
    with UnixV2Client(path_of(served), pb2) as peer:
        peer.send(peer.invoke(1, "until_cancelled", {"pipe": str(watched.path)}))
        assert watched.says(b"b")
    assert watched.says(b"c")


def test_cancelling_what_is_not_there_does_no_harm(stream: UnixV2Client) -> None:
    for number in (0, 1, 99):
        stream.cancel(number)
    answer = stream.ask(1, "echo", {"n": 1})
    stream.cancel(1)
    assert args_of(answer) == {"n": 1}
    assert args_of(stream.ask(2, "echo", {"n": 2})) == {"n": 2}


def flood(peer: UnixV2Client, first: int, behaviour: str, args: dict[str, Any]) -> int:
    """Send calls until the server has not taken a byte for a while, and return how many bytes it took."""
    peer.socket.setblocking(False)
    number, sent, rest = first, 0, b""
    while select.select([], [peer.socket], [], 0.5)[1] and sent < 20_000_000:
        if not rest:
            rest = frame(peer.invoke(number, behaviour, args))
            number += 1
        size = peer.socket.send(rest)
        rest, sent = rest[size:], sent + size
    return sent


def test_calls_beyond_the_limit_are_not_read(stream: UnixV2Client) -> None:
    most = stream.welcome.max_calls
    for number in range(1, most + 1):
        stream.send(stream.invoke(number, "sleep", {"seconds": 60}))
    assert flood(stream, most + 1, "echo", {"text": "x" * 100_000}) < 2_000_000


def test_bytes_in_flight_beyond_the_limit_are_not_read(stream: UnixV2Client) -> None:
    assert flood(stream, 1, "sleep", {"seconds": 60, "text": "x" * 100_000}) < 4 * MAX_BYTES


def test_waiting_calls_begin_when_others_end(stream: UnixV2Client) -> None:
    count = stream.welcome.max_calls + 50
    calls = [frame(stream.invoke(number + 1, "sleep", {"seconds": 0.3})) for number in range(count)]
    stream.socket.sendall(b"".join(calls))
    assert {stream.answer().id for _ in range(count)} == set(range(1, count + 1))


def test_a_waiting_call_can_be_cancelled(stream: UnixV2Client) -> None:
    most = stream.welcome.max_calls
    calls = [frame(stream.invoke(number + 1, "sleep", {"seconds": 0.5})) for number in range(most)]
    waiting = frame(stream.invoke(most + 1, "echo", {})) + frame(stream.invoke(most + 2, "echo", {}))
    cancel = frame(stream.pb.ClientFrame(id=most + 1, cancel=stream.pb.Cancel()).SerializeToString())
    stream.socket.sendall(b"".join(calls) + waiting + cancel)
    assert {stream.answer().id for _ in range(most + 1)} == {*range(1, most + 1), most + 2}


def test_a_client_that_never_reads_stops_being_read(served: Served, pb2: Any, stream: UnixV2Client) -> None:
    before = resident(served.process.pid)
    with UnixV2Client(path_of(served), pb2) as greedy:
        assert flood(greedy, 1, "large", {"size": 500_000, "text": "x" * 10_000}) < 8_000_000
        assert resident(served.process.pid) - before < 40_000_000


def test_calls_in_flight_are_answered_at_the_end_and_later_ones_are_not_taken(
    rendered: RenderedPlugin, config: Path, pb2: Any
) -> None:
    with serve(rendered, "unix", "--config", str(config)) as served, UnixV2Client(path_of(served), pb2) as peer:
        assert peer.ask(1, "echo", {}).id == 1
        for number in range(2, 52):
            peer.send(peer.invoke(number, "sleep", {"seconds": 1}))
        assert peer.ask(52, "echo", {}).id == 52
        served.process.send_signal(signal.SIGTERM)
        assert peer.answer().goodbye.last_id == 52
        peer.send(peer.invoke(53, "echo", {}))
        assert {peer.answer().id for _ in range(50)} == set(range(2, 52))
        assert peer.closed()
        assert served.process.wait(START_LIMIT) == 0


def test_calls_over_the_grace_are_cut_off(rendered: RenderedPlugin, config: Path, pb2: Any) -> None:
    with (
        serve(rendered, "unix", "--config", str(config), "--grace", "0.3") as served,
        UnixV2Client(path_of(served), pb2) as peer,
    ):
        peer.send(peer.invoke(1, "sleep", {"seconds": 20}))
        assert peer.ask(2, "echo", {}).id == 2
        served.process.send_signal(signal.SIGTERM)
        assert peer.answer().HasField("goodbye")
        assert peer.closed()
        assert served.process.wait(START_LIMIT) == 0


@pytest.fixture(scope="module")
def strict(config_in_place: Path) -> Iterator[RunningServer]:
    """A server that allows little."""
    limits = {
        "PLUGINS_IDLE_TIMEOUT": "1.5",
        "PLUGINS_READ_TIMEOUT": "1",
        "PLUGINS_MAX_CONNECTIONS": "2",
        "PLUGINS_MAX_CONCURRENT_HOOKS": "1",
    }
    with serve_in_process(config_in_place, "unix", **limits) as served:
        yield served


def test_an_idle_connection_is_closed_with_a_goodbye(strict: RunningServer, pb2: Any) -> None:
    with UnixV2Client(path_of(strict), pb2) as peer:
        # A call in flight keeps the connection, however long it takes.
        assert args_of(peer.ask(1, "sleep", {"seconds": 3})) == {"seconds": 3}
        assert peer.answer().goodbye.last_id == 1
        assert peer.closed()
    assert logged(strict, "idle for 1.5 s")


@pytest.mark.parametrize("begin", [b"", b"P"])
def test_a_connection_that_says_nothing_is_closed(strict: RunningServer, pb: Any, begin: bytes) -> None:
    with UnixV1Client(path_of(strict), pb) as peer:
        peer.socket.sendall(begin)
        assert peer.closed()


def test_an_idle_connection_of_version_1_is_closed(strict: RunningServer, pb: Any) -> None:
    with UnixV1Client(path_of(strict), pb) as peer:
        assert peer.call("echo", {}).HasField("result")
        assert peer.closed()


@pytest.mark.parametrize("version", [1, 2])
def test_a_message_must_arrive_in_time(strict: RunningServer, pb: Any, pb2: Any, version: int) -> None:
    peer = UnixV1Client(path_of(strict), pb) if version == 1 else UnixV2Client(path_of(strict), pb2)
    with peer:
        peer.socket.sendall(b"\0\0\1\0part")
        assert peer.closed()
    assert logged(strict, "did not arrive within 1 s")


def test_too_many_hooks_are_an_error_on_both_versions(strict: RunningServer, pb: Any, pb2: Any) -> None:
    with UnixV2Client(path_of(strict), pb2) as peer, UnixV1Client(path_of(strict), pb) as old:
        peer.send(peer.invoke(1, "sleep", {"seconds": 1}))
        refused = peer.ask(2, "echo", {})
        assert (refused.id, refused.error.code) == (2, "OVERLOADED")
        assert old.call("echo", {}).error.code == "OVERLOADED"
        assert peer.answer().HasField("result")
        assert old.call("echo", {}).HasField("result")


def test_too_many_connections_are_closed(strict: RunningServer, pb: Any, pb2: Any) -> None:
    with UnixV2Client(path_of(strict), pb2) as first, UnixV1Client(path_of(strict), pb) as second:
        assert second.call("echo", {}).HasField("result")
        with UnixV1Client(path_of(strict), pb) as third:
            assert third.closed()
        first.socket.close()
        # Its place is free once the server has seen the end.
        for _ in range(100):
            with UnixV1Client(path_of(strict), pb) as other:
                try:
                    assert other.call("echo", {}).HasField("result")
                    break
                except (EOFError, ConnectionError):
                    continue
        else:
            raise AssertionError("the place was not given back")


def test_users_who_are_not_allowed_are_not_served(config_in_place: Path, pb: Any) -> None:
    uids = {"PLUGINS_ALLOWED_UIDS": str(os.getuid() + 1)}
    with serve_in_process(config_in_place, "unix", **uids) as served:
        for begin in (PREFACE, b""):
            with UnixV1Client(path_of(served), pb) as peer:
                try:
                    peer.socket.sendall(begin + frame(peer.request("echo", {})))
                except BrokenPipeError:
                    continue
                assert peer.closed()
        assert logged(served, f"user {os.getuid()} is refused")
    uids["PLUGINS_ALLOWED_UIDS"] = str(os.getuid())
    with serve_in_process(config_in_place, "unix", **uids) as served, UnixV1Client(path_of(served), pb) as peer:
        assert peer.call("echo", {}).HasField("result")


def test_a_half_closed_client_is_gone(stream: UnixV2Client, watched: Watched) -> None:
    stream.send(stream.invoke(1, "until_cancelled", {"pipe": str(watched.path)}))
    assert watched.says(b"b")
    stream.socket.shutdown(socket.SHUT_WR)
    assert watched.says(b"c")
    assert stream.closed()
