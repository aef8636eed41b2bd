"""Version 2 of the Unix protocol, byte by byte: the preface, the answers and their order, what is refused."""

from __future__ import annotations

import json
import random
import socket
import time
from typing import Any

import pytest
from google.protobuf import json_format

from tests.support.logs import logged
from tests.support.probe_server import HOOK_TIMEOUT, MAX_BYTES
from tests.support.serving import Served
from tests.support.unix_v1 import UnixV1Client, frame
from tests.support.unix_v2 import PREFACE, UnixV2Client, args_of


def path_of(served: Served) -> str:
    return served.endpoints["unix"].removeprefix("unix://")


def test_a_server_welcomes_with_its_limits(stream: UnixV2Client) -> None:
    assert stream.welcome.max_frame_bytes == MAX_BYTES
    assert stream.welcome.max_calls > 1


def test_the_preface_may_come_byte_by_byte_and_with_calls_behind_it(served: Served, pb2: Any) -> None:
    with UnixV2Client(path_of(served), pb2, preface=b"") as peer:
        calls = frame(peer.invoke(1, "echo", {"n": 1}))
        for byte in PREFACE + calls[:7]:
            peer.socket.sendall(bytes([byte]))
        peer.socket.sendall(calls[7:] + frame(peer.invoke(2, "echo", {"n": 2})))
        assert peer.answer().HasField("welcome")
        assert {answer.id: args_of(answer)["n"] for answer in (peer.answer(), peer.answer())} == {1: 1, 2: 2}


@pytest.mark.parametrize("begin", [b"PSU1", b"PSU3", b"GET ", b"\x16\x03\x01\x02"])
def test_another_preface_closes_the_connection(served: Served, pb: Any, begin: bytes) -> None:
    with UnixV1Client(path_of(served), pb) as peer:
        peer.socket.sendall(begin)
        assert peer.closed()


def test_the_preface_is_none_later_on_a_connection_of_version_1(peer: UnixV1Client) -> None:
    assert peer.call("echo", {"n": 1}).HasField("result")
    peer.socket.sendall(PREFACE)
    assert peer.closed()


def test_answers_come_in_the_order_in_which_they_are_ready(stream: UnixV2Client) -> None:
    stream.send(stream.invoke(1, "sleep", {"seconds": 0.4}))
    stream.send(stream.invoke(2, "sleep", {"seconds": 0.2}))
    stream.send(stream.invoke(3, "echo", {"n": 3}))
    assert [stream.answer().id for _ in range(3)] == [3, 2, 1]


def test_a_thousand_interleaved_calls_get_their_own_answers(stream: UnixV2Client) -> None:
    count = 1000
    delays = [random.Random(20260103).choice([0, 0, 0.001, 0.01]) for _ in range(count)]
    calls = (stream.invoke(n + 1, "sleep", {"seconds": delay, "n": n}) for n, delay in enumerate(delays))
    stream.socket.sendall(b"".join(map(frame, calls)))
    answers = [stream.answer() for _ in range(count)]
    assert {answer.id for answer in answers} == set(range(1, count + 1))
    assert all(args_of(answer)["n"] == answer.id - 1 for answer in answers)


def test_all_that_json_holds_arrives(stream: UnixV2Client) -> None:
    args = {"n": 2**63 + 1, "long": 10**30, "null": None, "half": 0.5, "whole": 2.0, "text": "é\u2028"}
    shared = {
        "request_id": "r", "user": {"email": "a@example.com"}, "user_context": {"roles": ["admin"], "n": None},
        "content_type": "application/json", "of_tomorrow": {"deep": [1, None]},
    }  # fmt: skip
    context = {"state": {"calls": 4}, "global_context": shared, "of_tomorrow": 7}
    answer = stream.ask(1, "echo", args)
    assert args_of(answer) == args
    assert '"whole":2.0' in answer.result.result.decode()
    seen = args_of(stream.ask(2, "seen", {}, context=json.dumps(context).encode()))
    assert seen["of_tomorrow"] == 7
    assert {name: seen["global_context"][name] for name in shared} == shared


def test_what_has_a_json_form_is_turned_into_it(stream: UnixV2Client, peer: UnixV1Client) -> None:
    """Dates, sets, bytes, numbers as keys and models: the same on both versions."""
    stream.send(stream.invoke(1, "json_like", {}))
    args = args_of(stream.answer())
    violation = args.pop("violation")
    assert args == {"when": "2026-11-21T00:00:00Z", "tags": ["one"], "7": ["a", "b"]}
    assert (violation["reason"], violation["code"]) == ("r", "c")
    old = json_format.MessageToDict(peer.call("json_like", {}).result["modified_payload"])
    assert old["args"] == args | {"violation": violation}


def test_state_comes_back(stream: UnixV2Client) -> None:
    answer = stream.ask(1, "echo", {}, context=b'{"state":{"calls":4},"global_context":{"request_id":"r"}}')
    context = json.loads(answer.result.context)
    assert (context["state"], context["global_context"]["state"]) == ({"calls": 5}, {"seen": "echo"})


def test_configurations_and_health(stream: UnixV2Client, pb2: Any) -> None:
    asked = [
        pb2.ClientFrame(id=1, get_configs=pb2.GetConfigs()),
        pb2.ClientFrame(id=2, get_config=pb2.GetConfig(name="probe")),
        pb2.ClientFrame(id=3, get_config=pb2.GetConfig(name="nobody")),
        pb2.ClientFrame(id=4, check_health=pb2.CheckHealth()),
        pb2.ClientFrame(id=5, check_health=pb2.CheckHealth(plugin_name="probe")),
        pb2.ClientFrame(id=6, check_health=pb2.CheckHealth(plugin_name="nobody")),
        pb2.ClientFrame(id=7),
    ]
    for question in asked:
        stream.send(question.SerializeToString())
    answers = {answer.id: answer for answer in (stream.answer() for _ in asked)}
    assert [config["name"] for config in json.loads(answers[1].configs.configs)] == ["WordGuard", "Probe"]
    assert json.loads(answers[2].config.config)["version"] == "1.2.3"
    assert answers[3].config.config == b""
    health = [(answers[n].health.known, answers[n].health.serving) for n in (4, 5, 6)]
    assert health == [(True, True), (True, True), (False, False)]
    assert answers[7].error.code == "UNKNOWN_REQUEST"


@pytest.mark.parametrize(
    ("behaviour", "fields", "code", "message"),
    [
        ("echo", {"plugin_name": "Nobody"}, "UNKNOWN_PLUGIN", "no plugin"),
        ("echo", {"hook_type": "prompt_pre_fetch"}, "HOOK_NOT_IMPLEMENTED", "prompt_pre_fetch"),
        ("echo", {"payload": b"{"}, "INVALID_PAYLOAD", "payload: "),
        ("echo", {"payload": b""}, "INVALID_PAYLOAD", "payload: "),
        ("echo", {"payload": b'{"args":{}}'}, "INVALID_PAYLOAD", "payload.name"),
        ("echo", {"context": b"[1,"}, "INVALID_CONTEXT", "context: "),
        ("echo", {"context": b"[]"}, "INVALID_CONTEXT", "context"),
        ("crash", {}, "HOOK_FAILED", "error id"),
        ("nan", {}, "UNREPRESENTABLE", "result.modified_payload.args.deep[1].x: NaN"),
        ("surrogate", {}, "UNREPRESENTABLE", "result.modified_payload.args.text: lone surrogate"),
        ("foreign", {}, "UNREPRESENTABLE", "result.modified_payload.args.thing"),
    ],
)
def test_what_goes_wrong_is_an_error_with_its_code(
    stream: UnixV2Client, behaviour: str, fields: dict[str, Any], code: str, message: str
) -> None:
    error = stream.ask(1, behaviour, {}, **fields).error
    assert error.code == code
    assert message in error.message
    assert error.mcp_error_code == -32603
    assert args_of(stream.ask(2, "echo", {"n": 2})) == {"n": 2}


def test_a_deliberate_error_arrives_whole(stream: UnixV2Client) -> None:
    error = stream.ask(1, "deliberate", {}).error
    assert (error.message, error.plugin_name, error.code) == ("upstream is down", "Probe", "UPSTREAM")
    assert (json.loads(error.details), error.mcp_error_code) == ({"tries": 3}, -32050)


def test_a_result_larger_than_a_message_is_an_error(stream: UnixV2Client) -> None:
    error = stream.ask(1, "large", {"size": 16 * 1024 * 1024}).error
    assert error.code == "UNREPRESENTABLE"
    assert "more than the 16777216 of a message" in error.message


def test_a_hook_over_its_time_disturbs_no_other_call(stream: UnixV2Client) -> None:
    began = time.monotonic()
    stream.send(stream.invoke(1, "sleep", {"seconds": 60}))
    assert args_of(stream.ask(2, "echo", {"n": 2})) == {"n": 2}
    answer = stream.answer()
    assert (answer.id, answer.error.code) == (1, "HOOK_TIMEOUT")
    assert time.monotonic() - began < HOOK_TIMEOUT + 2
    assert args_of(stream.ask(3, "echo", {"n": 3})) == {"n": 3}


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 2**32 - 1])
def test_a_length_over_the_limit_closes_the_connection(stream: UnixV2Client, served: Served, size: int) -> None:
    stream.socket.sendall(size.to_bytes(4, "big"))
    assert stream.closed()
    assert logged(served, f"a message of {size} bytes")


def test_a_message_at_the_limit_is_answered(stream: UnixV2Client) -> None:
    room = MAX_BYTES - len(stream.invoke(1, "echo", {"text": ""})) - 20
    assert len(args_of(stream.ask(1, "echo", {"text": "x" * room}))["text"]) == room


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff", b"\x12\x05ab", PREFACE, b"\x00"])
def test_garbage_after_the_preface_closes_the_connection(stream: UnixV2Client, garbage: bytes) -> None:
    stream.send(garbage)
    assert stream.closed()


@pytest.mark.parametrize("numbers", [[0], [1, 1], [5, 4]])
def test_numbers_that_do_not_grow_close_the_connection(stream: UnixV2Client, numbers: list[int]) -> None:
    stream.socket.sendall(b"".join(frame(stream.invoke(number, "echo", {})) for number in numbers))
    with pytest.raises((EOFError, ConnectionResetError)):
        for _ in numbers:
            stream.answer()


def test_random_bytes_leave_the_server_answering(served: Served, pb2: Any, stream: UnixV2Client) -> None:
    randomness = random.Random(20260104)
    good = stream.invoke(1, "echo", {"a": [1, {"b": "text"}], "c": None})
    for turn in range(300):
        data = bytearray(good if turn % 2 else randomness.randbytes(randomness.randrange(64)))
        for _ in range(randomness.randrange(1, 4) if data else 0):
            data[randomness.randrange(len(data))] = randomness.randrange(256)
        with UnixV2Client(path_of(served), pb2) as other:
            other.socket.sendall(bytes(data) if turn % 3 == 0 else frame(bytes(data)))
            other.socket.shutdown(socket.SHUT_WR)
            while other.socket.recv(65536):
                pass
