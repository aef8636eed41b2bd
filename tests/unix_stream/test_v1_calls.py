"""Never late, never out of turn, never more than a client reads: the life of a connection to the Unix socket."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.logs import logged
from tests.support.probe_server import HOOK_TIMEOUT
from tests.support.processes import resident
from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, Served, serve
from tests.support.unix_v1 import UnixV1Client, frame

LIMIT = 20.0


def test_a_hook_over_its_time_is_answered_at_once_and_ends_the_connection(peer: UnixV1Client) -> None:
    began = time.monotonic()
    peer.send(peer.request("sleep", {"seconds": 60}))
    peer.send(peer.request("echo", {"n": 2}))
    assert peer.reply().error.code == "HOOK_TIMEOUT"
    assert time.monotonic() - began < HOOK_TIMEOUT + 2
    # The caller may have given up: the answer to its next call must not come over this connection.
    assert peer.closed()


def answered_in_the_end(path: str, pb: Any) -> bool:
    """Call as gateways do, which connect again and try three more times."""
    for _ in range(4):
        with UnixV1Client(path, pb) as peer:
            try:
                return bool(peer.call("echo", {"n": 3}).result["modified_payload"]["args"] == {"n": 3})
            except (EOFError, ConnectionError):
                continue
    return False


def test_an_answer_that_a_blocked_server_would_give_late_is_not_given(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path
) -> None:
    """Two calls wait unread while a third one blocks the event loop for longer than callers wait."""
    with serve(rendered, "unix", "--config", str(config), "--hook-timeout", "0.2") as served:
        path = served.endpoints["unix"].removeprefix("unix://")
        with UnixV1Client(path, pb) as blocker, UnixV1Client(path, pb) as early, UnixV1Client(path, pb) as other:
            for peer in (early, other):
                assert peer.call("echo", {"n": 1}).result["modified_payload"]["args"] == {"n": 1}
            # Callers wait 4.2 s here: the hook's limit and what a server allows for the way.
            pipe = short_path / "blocking"
            os.mkfifo(pipe)
            blocker.send(blocker.request("block", {"seconds": 6, "pipe": str(pipe)}))
            reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
            assert select.select([reader], [], [], LIMIT)[0], served.log
            os.close(reader)
            for peer in (early, other):
                peer.send(peer.request("echo", {"n": 2}))
            for peer in (blocker, early, other):
                assert peer.closed()
        assert answered_in_the_end(path, pb)
    assert logged(served, "could take it for the answer to its next call")


def test_a_client_that_never_reads_stops_being_read(served: Served, pb: Any, peer: UnixV1Client) -> None:
    before = resident(served.process.pid)
    with UnixV1Client(served.endpoints["unix"].removeprefix("unix://"), pb) as greedy:
        greedy.socket.setblocking(False)
        request = frame(greedy.request("large", {"size": 500_000}))
        sent, blocked = 0, 0
        # Until the server has not taken a byte for a while; 100 MB would mean that it never stops.
        while blocked < 5 and sent < 100_000_000:
            _, ready, _ = select.select([], [greedy.socket], [], 0.2)
            if ready:
                blocked = 0
                sent += greedy.socket.send(request)
            else:
                blocked += 1
        assert sent < 2_000_000
        assert resident(served.process.pid) - before < 30_000_000


def test_a_client_that_stopped_sending_gets_its_answers(peer: UnixV1Client) -> None:
    peer.send(peer.request("sleep", {"seconds": 0.2}))
    peer.send(peer.request("echo", {"n": 1}))
    peer.socket.shutdown(socket.SHUT_WR)
    assert peer.reply().result["modified_payload"]["args"]["seconds"] == 0.2
    assert peer.reply().result["modified_payload"]["args"]["n"] == 1
    assert peer.closed()


def test_calls_in_flight_are_answered_at_the_end(rendered: RenderedPlugin, config: Path, pb: Any) -> None:
    with serve(rendered, "unix", "--config", str(config)) as served:
        path = served.endpoints["unix"].removeprefix("unix://")
        peers = [UnixV1Client(path, pb) for _ in range(50)]
        idle = UnixV1Client(path, pb)
        assert idle.call("echo", {}).HasField("result")
        for peer in peers:
            peer.send(peer.request("sleep", {"seconds": 1}))
        served.process.send_signal(signal.SIGTERM)
        for peer in peers:
            assert peer.reply().result["modified_payload"]["args"] == {"seconds": 1}
            assert peer.closed()
        assert idle.closed()
        assert served.process.wait(START_LIMIT) == 0
        assert not Path(path).exists()
        for peer in [*peers, idle]:
            peer.socket.close()


def test_calls_over_the_grace_are_cut_off(rendered: RenderedPlugin, config: Path, pb: Any) -> None:
    with serve(rendered, "unix", "--config", str(config), "--grace", "0.3") as served:
        with UnixV1Client(served.endpoints["unix"].removeprefix("unix://"), pb) as peer:
            assert peer.call("echo", {}).HasField("result")
            peer.send(peer.request("sleep", {"seconds": 20}))
            served.process.send_signal(signal.SIGTERM)
            assert peer.closed()
        assert served.process.wait(START_LIMIT) == 0


@pytest.mark.parametrize("count", [1000])
def test_idle_connections_do_not_disturb(served: Served, pb: Any, peer: UnixV1Client, count: int) -> None:
    path = served.endpoints["unix"].removeprefix("unix://")
    idle = [UnixV1Client(path, pb) for _ in range(count)]
    try:
        assert peer.call("echo", {"n": 1}).HasField("result")
        assert idle[-1].call("echo", {"n": 1}).HasField("result")
    finally:
        for other in idle:
            other.socket.close()
