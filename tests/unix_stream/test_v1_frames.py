"""What arrives on the Unix socket, byte by byte."""

from __future__ import annotations

import os
import random
import socket
import stat
from typing import Any

import pytest

from tests.support.logs import logged
from tests.support.probe_server import MAX_BYTES
from tests.support.serving import Served
from tests.support.unix_v1 import UnixV1Client, frame


def test_the_socket_is_for_its_owner_only(served: Served) -> None:
    for scheme in ("unix", "grpc+unix"):
        path = served.endpoints[scheme].removeprefix(f"{scheme}://")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_the_fields_that_are_set_decide_what_is_asked(peer: UnixV1Client, pb: Any) -> None:
    peer.send(pb.GetPluginConfigRequest(name="probe").SerializeToString())
    found = pb.GetPluginConfigResponse.FromString(peer.receive())
    assert found.found
    assert found.config["name"] == "Probe"
    peer.send(pb.GetPluginConfigRequest(name="nobody").SerializeToString())
    assert not pb.GetPluginConfigResponse.FromString(peer.receive()).found
    peer.send(b"")
    names = [config["name"] for config in pb.GetPluginConfigsResponse.FromString(peer.receive()).configs]
    assert names == ["WordGuard", "Probe"]
    assert peer.call("echo", {"a": 1}).result["modified_payload"]["args"] == {"a": 1}


def test_a_frame_may_come_byte_by_byte(peer: UnixV1Client) -> None:
    for byte in frame(peer.request("echo", {"a": "é"})):
        peer.socket.sendall(bytes([byte]))
    assert peer.reply().result["modified_payload"]["args"]["a"] == "é"


def test_many_frames_in_one_piece_are_answered_in_order(peer: UnixV1Client) -> None:
    count = 200
    peer.socket.sendall(b"".join(frame(peer.request("echo", {"n": n})) for n in range(count)))
    assert [peer.reply().result["modified_payload"]["args"]["n"] for _ in range(count)] == list(range(count))


def test_a_slow_call_holds_back_the_answers_after_it(peer: UnixV1Client) -> None:
    peer.send(peer.request("sleep", {"seconds": 0.2}))
    peer.send(peer.request("echo", {"n": 1}))
    assert peer.reply().result["modified_payload"]["args"]["seconds"] == 0.2
    assert peer.reply().result["modified_payload"]["args"]["n"] == 1


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 16 * 1024 * 1024 + 1, 2**32 - 1])
def test_a_length_over_the_limit_closes_the_connection(peer: UnixV1Client, served: Served, size: int) -> None:
    peer.socket.sendall(size.to_bytes(4, "big"))
    assert peer.closed()
    assert logged(served, f"a message of {size} bytes")


def test_a_message_at_the_limit_is_answered(peer: UnixV1Client) -> None:
    room = MAX_BYTES - len(peer.request("echo", {"text": ""})) - 20
    assert len(peer.call("echo", {"text": "x" * room}).result["modified_payload"]["args"]["text"]) == room


@pytest.mark.parametrize("message", [b"\xff\xff\xff", b"\x0a\x05ab", b"\x0a\x02\xff\xfe", b"\x00"])
def test_what_is_no_protobuf_closes_the_connection(peer: UnixV1Client, message: bytes) -> None:
    peer.send(message)
    assert peer.closed()


def test_a_message_nested_too_deep_closes_the_connection(peer: UnixV1Client, pb: Any) -> None:
    inner = b""
    for _ in range(200):
        # Value.list_value holding ListValue.values.
        inner = b"\x32" + _length(b"\x0a" + _length(inner))
    entry = b"\x0a\x01a" + b"\x12" + _length(inner)
    peer.send(b"\x0a\x01h\x12\x01p\x1a" + _length(b"\x0a" + _length(entry)))
    assert peer.closed()


def _length(data: bytes) -> bytes:
    size, written = len(data), bytearray()
    while size > 127:
        written.append(size & 127 | 128)
        size >>= 7
    return bytes([*written, size]) + data


def test_a_truncated_frame_harms_nobody_else(peer: UnixV1Client) -> None:
    peer.socket.sendall(frame(peer.request("echo", {}))[:-3])
    peer.socket.shutdown(socket.SHUT_WR)
    assert peer.closed()


def test_random_bytes_leave_the_server_answering(served: Served, pb: Any, peer: UnixV1Client) -> None:
    path = served.endpoints["unix"].removeprefix("unix://")
    randomness = random.Random(20260101)
    for _ in range(300):
        with UnixV1Client(path, pb) as other:
            data = randomness.randbytes(randomness.randrange(1, 64))
            other.socket.sendall(data if randomness.random() < 0.5 else frame(data))
            other.socket.shutdown(socket.SHUT_WR)
            while other.socket.recv(65536):
                pass


def test_changed_requests_leave_the_server_answering(served: Served, pb: Any, peer: UnixV1Client) -> None:
    path = served.endpoints["unix"].removeprefix("unix://")
    randomness = random.Random(20260102)
    good = peer.request("echo", {"a": [1, {"b": "text"}], "c": None})
    for _ in range(300):
        data = bytearray(good)
        for _ in range(randomness.randrange(1, 4)):
            data[randomness.randrange(len(data))] = randomness.randrange(256)
        with UnixV1Client(path, pb) as other:
            other.send(bytes(data))
            other.socket.shutdown(socket.SHUT_WR)
            while other.socket.recv(65536):
                pass
