"""Every answer belongs to its call, also after calls that got none in time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.serving import Served

from .gateways import PROBE, Gateway

CALLS = 1000
LATE_EVERY = 50


def wanted(number: int) -> dict[str, Any]:
    """A call of the probe whose answer tells its number; some take longer than the connector waits."""
    if number % LATE_EVERY == 0:
        return {"name": "sleep", "args": {"number": number, "seconds": 3}}
    if number % 7 == 0:
        return {"name": "violation", "args": {"number": number}}
    return {"name": "sleep", "args": {"number": number, "seconds": number % 5 / 1000}}


def told(answer: dict[str, Any]) -> Any:
    """What the answer says: the number that came back, or the code."""
    if "error" in answer:
        return answer["error"]["code"]
    if answer["violation"]:
        return answer["violation"]["code"]
    return answer["modified_payload"]["args"]["number"]


def right(number: int) -> Any:
    """What the answer must say."""
    if number % LATE_EVERY == 0:
        return "PLUGIN_TIMEOUT"
    return "NO" if number % 7 == 0 else number


@pytest.mark.parametrize("scheme", ["unix", "grpc", "http"])
def test_a_thousand_interleaved_calls(newest: Gateway, served: Served, scheme: str) -> None:
    newest.open(served.endpoints[scheme], PROBE, deadline=1.0, breaker_failures=CALLS)
    numbers = list(range(1, CALLS + 1))
    answers = newest.ask("burst", name=PROBE, calls=[wanted(number) for number in numbers], in_flight=32)
    assert [told(answer) for answer in answers] == [right(number) for number in numbers]


@pytest.mark.parametrize("scheme", ["unix", "grpc", "http"])
def test_the_next_call_gets_its_own_answer(newest: Gateway, served: Served, scheme: str) -> None:
    newest.open(served.endpoints[scheme], PROBE, deadline=0.5)
    late = newest.tool("sleep", {"number": 1, "seconds": 1})
    assert late["violation"]["code"] == "PLUGIN_TIMEOUT"
    for number in range(2, 20):
        assert told(newest.tool("sleep", {"number": number, "seconds": 0.1})) == number
