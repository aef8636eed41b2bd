"""What clients of the gRPC transport may ask for, and what happens to those that ask for more or for too long."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.support.gates import Gate
from tests.support.http2 import (
    CONFIGS,
    DATA,
    END_STREAM,
    GOAWAY,
    HEADERS,
    INVOKE,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Http2Peer,
    frame,
    message,
)
from tests.support.in_process import serve_in_process
from tests.support.logs import logged
from tests.support.probe_server import MAX_BYTES
from tests.support.processes import resident
from tests.support.rendering import RenderedPlugin
from tests.support.serving import RunningServer, Served, serve
from tests.support.transport_clients import connect_client
from tests.support.waiting import wait_until

LIMIT = 20.0
SCHEMES = ["grpc", "grpc+unix"]
RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL = 8, 4, 12, 13
FLOW_CONTROL_ERROR, ENHANCE_YOUR_CALM = 3, 11

Serve = Callable[..., RunningServer]


@pytest.fixture
def server(config_in_place: Path) -> Iterator[Serve]:
    """Starts a server in this process, with settings of the test's own."""
    with ExitStack() as stack:
        yield lambda *options, **extra: stack.enter_context(
            serve_in_process(config_in_place, "grpc", *options, **extra)
        )


def request(pb: Any, behaviour: str, **args: Any) -> bytes:
    """A call of the probe plugin as bytes."""
    made = pb.InvokeHookRequest(hook_type="tool_pre_invoke", plugin_name="Probe")
    made.payload.update({"name": behaviour, "args": args})
    data: bytes = made.SerializeToString()
    return data


@pytest.mark.parametrize("scheme", SCHEMES)
def test_more_hooks_than_may_run(server: Serve, pb: Any, tmp_path: Path, scheme: str) -> None:
    served = server(PLUGINS_MAX_CONCURRENT_HOOKS="3")
    gate = Gate(tmp_path)
    with connect_client(served, scheme, pb) as line, Http2Peer(served.endpoints[scheme]) as peer:
        waiting = gate.hold([line], 3)
        refused = peer.call(request(pb, "echo"), INVOKE)
        assert refused.status == RESOURCE_EXHAUSTED
        assert "3 hooks are running (PLUGINS_MAX_CONCURRENT_HOOKS); send the call again later" in refused.text
        # Questions that run no hook are still answered.
        assert peer.call().status == 0
        gate.open()
        assert [receive().error for receive in waiting] == [None] * 3
        assert peer.call(request(pb, "echo"), INVOKE).status == 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_more_connections_than_allowed(server: Serve, pb: Any, scheme: str) -> None:
    served = server(PLUGINS_MAX_CONNECTIONS="2")
    endpoint = served.endpoints[scheme]
    with Http2Peer(endpoint) as first, Http2Peer(endpoint) as second:
        assert first.call().status == second.call().status == 0
        with Http2Peer(endpoint, greet=False) as third, pytest.raises(EOFError):
            third.receive()
        assert logged(served, "grpc: 2 connections are open, further ones are refused (PLUGINS_MAX_CONNECTIONS)")
        assert first.call().status == 0
    with connect_client(served, scheme, pb) as line:
        assert line.call("echo", a=1).args == {"a": 1}


def test_an_idle_connection_is_closed(server: Serve) -> None:
    served = server(PLUGINS_IDLE_TIMEOUT="0.5")
    with Http2Peer(served.endpoints["grpc"]) as peer:
        assert peer.call().status == 0
        assert peer.goodbye() == (0, "")


def test_a_call_that_meets_the_end_of_an_idle_connection_is_answered(server: Serve) -> None:
    served = server(PLUGINS_IDLE_TIMEOUT="0.5")
    with Http2Peer(served.endpoints["grpc"]) as peer:
        # The ping that asks whether the client has read this lies behind it: the client's next call comes first.
        found = peer.receive_until(GOAWAY)
        assert int.from_bytes(found.payload[:4], "big") == 2**31 - 1
        assert peer.call().status == 0
        assert peer.goodbye() == (0, "")


def test_a_connection_with_a_call_is_not_idle(server: Serve, pb: Any) -> None:
    served = server(PLUGINS_IDLE_TIMEOUT="0.5")
    with Http2Peer(served.endpoints["grpc"]) as peer:
        answer = peer.call(request(pb, "sleep", seconds=3), INVOKE)
        assert answer.status == 0
        assert not [found for found in peer.seen if found.kind == GOAWAY]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_connections_that_reach_their_age_cost_no_call(server: Serve, pb: Any, scheme: str) -> None:
    served = server(PLUGINS_GRPC_MAX_CONNECTION_AGE="0.5")
    with Http2Peer(served.endpoints[scheme]) as old, connect_client(served, scheme, pb) as line:
        count = 0
        while not [found for found in old.seen if found.kind == GOAWAY]:
            assert line.call("echo", n=count).args == {"n": count}
            assert old.call().status == 0
            count += 1
        assert old.goodbye() == (0, "")
        for number in range(100):
            assert line.call("echo", n=number).args == {"n": number}


def test_calls_that_outlive_the_age_of_their_connection(server: Serve, pb: Any) -> None:
    served = server("--grace", "20", PLUGINS_GRPC_MAX_CONNECTION_AGE="0.5")
    with Http2Peer(served.endpoints["grpc"]) as peer:
        stream = peer.request(request(pb, "sleep", seconds=2), INVOKE)
        peer.receive_until(GOAWAY)
        assert not peer.answers[stream].ended
        assert peer.answer(stream).status == 0
        assert peer.goodbye() == (0, "")


def test_large_headers(server: Serve) -> None:
    served = server(PLUGINS_MAX_HEADER_BYTES="2000")
    with Http2Peer(served.endpoints["grpc"]) as peer:
        told = peer.receive_until(SETTINGS).payload
        assert (6).to_bytes(2, "big") + (2000).to_bytes(4, "big") in told
        refused = peer.call(x_large="x" * 1800)
        assert refused.status == RESOURCE_EXHAUSTED
        assert "larger than 2000 bytes (PLUGINS_MAX_HEADER_BYTES)" in refused.text
        assert peer.call(x_small="x" * 1000).status == 0


def test_a_header_block_without_end(server: Serve) -> None:
    served = server(PLUGINS_MAX_HEADER_BYTES="2000")
    with Http2Peer(served.endpoints["grpc"]) as peer:
        peer.send(frame(HEADERS, 0, 1, b"\x82") + frame(9, 0, 1, b"\x82" * 1500) * 3)
        assert peer.goodbye()[0] == ENHANCE_YOUR_CALM


def test_an_announced_message_over_the_limit_is_not_waited_for(served: Served) -> None:
    with Http2Peer(served.endpoints["grpc"]) as peer:
        stream, head = peer.head()
        peer.send(head + frame(DATA, 0, stream, b"\0" + (MAX_BYTES + 1).to_bytes(4, "big")))
        refused = peer.answer(stream)
        assert refused.status == RESOURCE_EXHAUSTED
        assert f"a message of {MAX_BYTES + 1} bytes; at most {MAX_BYTES} are read" in refused.text
        assert peer.call().status == 0


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_compressed_messages(served: Served, pb: Any, coding: str) -> None:
    def compress(data: bytes) -> bytes:
        made = zlib.compressobj(wbits=31 if coding == "gzip" else 15)
        return made.compress(data) + made.flush()

    with Http2Peer(served.endpoints["grpc"]) as peer:

        def call(data: bytes) -> Any:
            stream, head = peer.head(INVOKE, grpc_encoding=coding)
            peer.send(head + frame(DATA, END_STREAM, stream, message(data, compressed=True)))
            return peer.answer(stream)

        reply = pb.InvokeHookResponse.FromString(call(compress(request(pb, "echo", a="b"))).data[5:])
        assert reply.result["modified_payload"]["args"]["a"] == "b"
        bomb = call(compress(b"\0" * 10_000_000))
        assert bomb.status == RESOURCE_EXHAUSTED
        assert f"more than {MAX_BYTES} bytes" in bomb.text
        assert call(b"no such thing").status == INTERNAL
        assert call(compress(b"x" * 1000)[:-6]).status == INTERNAL


def test_an_unknown_compression(served: Served) -> None:
    with Http2Peer(served.endpoints["grpc"]) as peer:
        refused = peer.call(grpc_encoding="snappy")
        assert (refused.status, refused.text) == (UNIMPLEMENTED, "messages are read in identity, gzip, deflate")


def test_requests_that_do_not_arrive(server: Serve, pb: Any) -> None:
    served = server(PLUGINS_READ_TIMEOUT="0.5")
    with Http2Peer(served.endpoints["grpc"]) as peer:
        stream, head = peer.head(INVOKE)
        peer.send(head + frame(DATA, 0, stream, message(request(pb, "echo"))[:-1]))
        late = peer.answer(stream)
        assert late.status == DEADLINE_EXCEEDED
        assert "the request did not arrive within 0.5 s (PLUGINS_READ_TIMEOUT)" in late.text
        assert peer.call().status == 0


@pytest.mark.parametrize("sent", [b"", PREFACE[:10], PREFACE + b"\0", PREFACE + frame(HEADERS, 0, 1, b"\x82")])
def test_clients_that_begin_and_do_not_go_on(server: Serve, sent: bytes) -> None:
    served = server(PLUGINS_READ_TIMEOUT="0.5")
    with Http2Peer(served.endpoints["grpc"], greet=False) as peer:
        peer.send(sent)
        assert peer.goodbye()[0] == ENHANCE_YOUR_CALM


def test_the_callers_deadline_ends_the_call(served: Served, pb: Any) -> None:
    with Http2Peer(served.endpoints["grpc"]) as peer:
        ended = peer.call(request(pb, "sleep", seconds=60), INVOKE, grpc_timeout="100m")
        assert (ended.status, ended.text) == (DEADLINE_EXCEEDED, "the caller's time for the call is over")
        assert peer.call(grpc_timeout="99999999H").status == 0
        assert peer.call(grpc_timeout="soon").status == 3


def test_a_call_that_is_taken_back_is_cancelled(served: Served, pb: Any, short_path: Path) -> None:
    pipe = short_path / "pipe"
    os.mkfifo(pipe)
    with Http2Peer(served.endpoints["grpc"]) as peer:
        stream = peer.request(request(pb, "until_cancelled", pipe=str(pipe)), INVOKE)
        with pipe.open("rb", buffering=0) as reader:
            assert reader.read(1) == b"b"
            peer.send(frame(RST_STREAM, 0, stream, (8).to_bytes(4, "big")))
            assert reader.read(1) == b"c"
        assert peer.call().status == 0


def test_calls_that_are_taken_back_at_once(served: Served, pb: Any) -> None:
    """Many times more calls than streams are allowed; none of them may stay behind."""
    before = resident(served.process.pid)
    with Http2Peer(served.endpoints["grpc"]) as peer:
        data = message(request(pb, "sleep", seconds=60))
        for _ in range(20_000):
            stream, head = peer.head(INVOKE)
            peer.send(head + frame(DATA, END_STREAM, stream, data) + frame(RST_STREAM, 0, stream, b"\0\0\0\x08"))
        # Calls that are being cancelled still count as streams: a client sends a refused one again.
        wait_until(lambda: peer.call().reset is None)
        assert peer.call(request(pb, "echo"), INVOKE).status == 0
    assert resident(served.process.pid) - before < 30_000_000


def test_more_streams_than_allowed_are_refused(server: Serve, pb: Any) -> None:
    served = server(PLUGINS_MAX_CONCURRENT_HOOKS="10")
    with Http2Peer(served.endpoints["grpc"]) as peer:
        most = 120
        watch = message(b"")
        for _ in range(most):
            stream, head = peer.head("/grpc.health.v1.Health/Watch")
            peer.send(head + frame(DATA, END_STREAM, stream, watch))
        refused = peer.answer(peer.request())
        assert refused.reset == 7
        peer.send(frame(RST_STREAM, 0, 1, b"\0\0\0\x08"))
        wait_until(lambda: peer.call().reset is None)


def test_a_client_that_sends_more_than_its_window(server: Serve, pb: Any) -> None:
    served = server()
    with Http2Peer(served.endpoints["grpc"], greet=False) as peer:
        # It takes no answer, so that soon no request is begun and no credit given.
        peer.send(PREFACE + frame(SETTINGS, 0, 0, b"\0\x04" + bytes(4)))
        data = message(request(pb, "large", size=500_000, text="x" * 10_000))
        with suppress(ConnectionError):
            for _ in range(8_000_000 // len(data)):
                stream, head = peer.head(INVOKE)
                peer.send(head + frame(DATA, END_STREAM, stream, data))
        assert peer.goodbye()[0] == FLOW_CONTROL_ERROR


@pytest.mark.parametrize("window", [0, 65_535, 2**31 - 1])
def test_a_client_that_never_reads(rendered: RenderedPlugin, config: Path, pb: Any, window: int) -> None:
    """Whether it closes its window or only leaves the socket full: no more is begun than it takes."""
    with (
        serve(rendered, "grpc", "--config", str(config), PLUGINS_IDLE_TIMEOUT="2") as served,
        Http2Peer(served.endpoints["grpc"]) as other,
        Http2Peer(served.endpoints["grpc"], greet=False) as peer,
    ):
        assert other.call().status == 0
        before = resident(served.process.pid)
        peer.send(PREFACE + frame(SETTINGS, 0, 0, b"\0\x04" + window.to_bytes(4, "big")))
        if window > 65_535:
            peer.send(frame(WINDOW_UPDATE, 0, 0, (window - 65_535).to_bytes(4, "big")))
        data = message(request(pb, "large", size=500_000, text="x" * 10_000))
        peer.socket.settimeout(1.0)
        with suppress(TimeoutError):
            # As many as the server's own window lets it send.
            for _ in range(4_000_000 // len(data)):
                stream, head = peer.head(INVOKE)
                peer.send(head + frame(DATA, END_STREAM, stream, data))
        assert other.call().status == 0
        assert resident(served.process.pid) - before < 40_000_000
        assert logged(served, "closing a connection whose client takes no answers for 2 s")


def test_a_client_that_reads_slowly_gets_all_its_answers(served: Served, pb: Any) -> None:
    count, size = 60, 100_000
    with Http2Peer(served.endpoints["grpc"]) as peer:
        streams = [peer.request(request(pb, "large", size=size), INVOKE) for _ in range(count)]
        while not all(peer.answers[stream].ended for stream in streams):
            found = peer.receive()
            if found.kind == DATA and found.payload:
                grown = len(found.payload).to_bytes(4, "big")
                peer.send(frame(WINDOW_UPDATE, 0, found.stream, grown))
        assert {peer.answers[stream].status for stream in streams} == {0}
        assert min(len(peer.answers[stream].data) for stream in streams) > size


def test_users_who_may_not_connect(server: Serve) -> None:
    served = server(PLUGINS_ALLOWED_UIDS=str(os.getuid() + 1))
    with Http2Peer(served.endpoints["grpc+unix"], greet=False) as peer, pytest.raises(EOFError):
        peer.receive()
    assert logged(served, f"a connection of user {os.getuid()} is refused: not in PLUGINS_ALLOWED_UIDS")
    with Http2Peer(served.endpoints["grpc"]) as peer:
        assert peer.call().status == 0


def test_users_who_may_connect(server: Serve, pb: Any) -> None:
    served = server(PLUGINS_ALLOWED_UIDS=f"{os.getuid() + 1},{os.getuid()}")
    with connect_client(served, "grpc+unix", pb) as line:
        assert line.call("echo", a=1).args == {"a": 1}


def test_a_hook_that_blocks_the_loop_cuts_nobody_off(server: Serve, pb: Any, short_path: Path) -> None:
    """What clients sent meanwhile lies unread; that is not their fault."""
    served = server(PLUGINS_READ_TIMEOUT="1", PLUGINS_IDLE_TIMEOUT="1.5")
    pipe = short_path / "pipe"
    os.mkfifo(pipe)
    with Http2Peer(served.endpoints["grpc"]) as peer, Http2Peer(served.endpoints["grpc"]) as other:
        blocked = peer.request(request(pb, "block", pipe=str(pipe), seconds=3), INVOKE)
        with pipe.open("rb") as reader:
            reader.read(1)
        half = message(request(pb, "echo", a="x" * 1000))
        stream, head = other.head(INVOKE)
        other.send(head + frame(DATA, 0, stream, half[:500]))
        wait_until(lambda: peer.answer(blocked).ended)
        other.send(frame(DATA, END_STREAM, stream, half[500:]))
        assert other.answer(stream).status == 0


def test_grpcio_sees_the_refusals(server: Serve, pb: Any, tmp_path: Path) -> None:
    served = server(PLUGINS_MAX_CONCURRENT_HOOKS="1", PLUGINS_MAX_HEADER_BYTES="5000")
    gate = Gate(tmp_path)
    with (
        connect_client(served, "grpc", pb) as line,
        grpc.insecure_channel(served.endpoints["grpc"].removeprefix("grpc://")) as channel,
    ):
        waiting = gate.hold([line], 1)
        invoke: Any = channel.unary_unary(INVOKE, None, None)
        configs: Any = channel.unary_unary(CONFIGS, None, None)
        with pytest.raises(grpc.RpcError) as overloaded:
            invoke(request(pb, "echo"), timeout=LIMIT)
        assert overloaded.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        with pytest.raises(grpc.RpcError) as oversized:
            configs(b"", timeout=LIMIT, metadata=[("x-large", "x" * 6000)])
        assert oversized.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert configs(b"", timeout=LIMIT)
        gate.open()
        assert [receive().error for receive in waiting] == [None]


def test_pings_are_answered(served: Served) -> None:
    with Http2Peer(served.endpoints["grpc"]) as peer:
        peer.send(frame(PING, 0, 0, b"12345678"))
        assert peer.receive_until(PING).payload == b"12345678"
