"""Values that JSON libraries change in silence: none is changed here."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .wire import hook_call, hook_reply, post, rpc


def returned(endpoint: str, name: str, **args: Any) -> Any:
    reply = hook_reply(post(endpoint, hook_call(name, **args)).json)
    return reply["result"]["modified_payload"]["args"]


@pytest.mark.parametrize(
    "value", [2**53 + 1, 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 2**200, 1e300, 0.1, "1" * 40, None, [None, 2**70]]
)
def test_values_come_back_as_they_went(endpoint: str, value: Any) -> None:
    args = returned(endpoint, "echo", value=value)
    assert args == {"value": value}
    assert type(args["value"]) is type(value)


def test_long_integers_of_a_plugin(endpoint: str) -> None:
    assert returned(endpoint, "long") == {"numbers": [2**70, -(2**64), 2**64 - 1]}


def test_null_is_no_nan(endpoint: str) -> None:
    assert returned(endpoint, "null") == {"deep": [None, 1.5, True]}


def test_ids_of_any_size(endpoint: str) -> None:
    assert post(endpoint, rpc("ping", request_id=2**90)).json["id"] == 2**90


def test_text_outside_of_ascii(endpoint: str) -> None:
    value = "h\u00e9 \u4e2d \U0001f600 \u2028 \x00 \x7f"
    assert returned(endpoint, "echo", value=value) == {"value": value}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nan", "result.modified_payload.args.deep[1].x: NaN is not JSON"),
        ("surrogate", "result.modified_payload.args.text: lone surrogate"),
    ],
)
def test_what_json_cannot_say_is_an_error_with_its_path(endpoint: str, name: str, problem: str) -> None:
    answer = post(endpoint, hook_call(name))
    assert (answer.status, answer.json["result"]["isError"]) == (200, True)
    error = hook_reply(answer.json)["error"]
    assert (error["code"], error["message"]) == (
        "UNREPRESENTABLE",
        f"the result of hook tool_pre_invoke cannot be sent: {problem}",
    )


def test_infinity_in_a_request(endpoint: str) -> None:
    body = json.dumps(hook_call("echo", value="INF")).replace('"INF"', "1e999").encode()
    assert post(endpoint, body).error[0] == -32700
