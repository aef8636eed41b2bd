"""What the gateway sees of a plugin's answers through the connector, by framework and by transport."""

from __future__ import annotations

import pytest

from tests.gateway.releases import FrameworkRelease
from tests.support.faulty_plugin import SECRET
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served

from .gateways import PROBE, Gateway, gateway


def check(side: Gateway, endpoint: str) -> None:
    """Make one call of each kind."""
    assert "tool_pre_invoke" in side.open(endpoint)["hooks"]
    side.open(endpoint, PROBE)

    allowed = side.search("hello")
    assert (allowed["continue_processing"], allowed["modified_payload"]) == (True, None)
    modified = side.tool("search", {"query": "call tango now", "n": 5, "ratio": 0.5}, "WordGuard")
    assert modified["modified_payload"]["args"] == {"query": "call *** now", "n": 5, "ratio": 0.5}
    blocked = side.search("classified")
    assert blocked["continue_processing"] is False
    assert (blocked["violation"]["code"], blocked["violation"]["details"]) == ("FORBIDDEN_WORD", {"word": "classified"})

    deliberate = side.tool("deliberate", {})["error"]
    assert (deliberate["message"], deliberate["code"]) == ("upstream is down", "UPSTREAM")
    assert (deliberate["mcp_error_code"], deliberate["details"]) == (-32050, {"tries": 3})
    crash = side.tool("crash", {})["error"]
    assert crash["code"] == "HOOK_FAILED"
    assert SECRET not in crash["message"]


@pytest.mark.parametrize("scheme", ["unix", "grpc", "grpc+unix", "http"])
def test_every_transport(newest: Gateway, served: Served, scheme: str) -> None:
    check(newest, served.endpoints[scheme])


def test_every_framework(release: FrameworkRelease, rendered: RenderedPlugin, served: Served) -> None:
    with gateway(release, rendered) as side:
        check(side, served.endpoints["unix"])


@pytest.mark.parametrize("scheme", ["unix", "grpc", "http"])
def test_state_comes_back(newest: Gateway, served: Served, scheme: str) -> None:
    newest.open(served.endpoints[scheme], PROBE)
    payload = {"name": "echo", "args": {}}
    answer = newest.ask("call", name=PROBE, hook="tool_pre_invoke", payload=payload, state={"calls": 4})
    assert answer["after"] == {"state": {"calls": 5}, "shared": {"seen": "echo"}}


def test_integers_stay_exact_over_the_unix_socket(newest: Gateway, served: Served) -> None:
    newest.open(served.endpoints["unix"], PROBE)
    answer = newest.tool("echo", {"number": 2**60 + 1})
    assert answer["modified_payload"]["args"] == {"number": 2**60 + 1}


def test_what_cannot_be_sent_is_an_error_that_names_it(newest: Gateway, served: Served) -> None:
    newest.open(served.endpoints["grpc"], PROBE)
    error = newest.tool("echo", {"number": 2**60 + 1})["error"]
    assert error["code"] == "UNREPRESENTABLE"
    assert "payload.args.number" in error["message"]


def test_a_hook_that_the_plugin_lacks_costs_no_call(newest: Gateway, served: Served) -> None:
    newest.open(served.endpoints["unix"], PROBE)
    answer = newest.ask("call", name=PROBE, hook="prompt_pre_fetch", payload={"prompt_id": "1", "args": {}})
    assert (answer["continue_processing"], answer["modified_payload"]) == (True, None)
    metrics = newest.ask("metrics")
    assert 'plugin_connector_calls_total{hook="prompt_pre_fetch",outcome="skipped",plugin="Probe"} 1.0' in metrics


def test_metrics_and_log_tell_how_the_connection_is(newest: Gateway, served: Served) -> None:
    endpoint = served.endpoints["unix"]
    newest.open(endpoint)
    newest.search("hello")
    newest.search("classified")
    metrics = newest.ask("metrics")
    assert f'plugin_connector_up{{endpoint="{endpoint}"}} 1.0' in metrics
    assert 'outcome="allowed",plugin="WordGuard"} 1.0' in metrics
    assert 'outcome="blocked",plugin="WordGuard"} 1.0' in metrics
    assert 'plugin_connector_seconds_count{hook="tool_pre_invoke",plugin="WordGuard"} 2.0' in metrics
    assert newest.said(f"INFO connected to {endpoint}")


@pytest.mark.parametrize("scheme", ["unix", "grpc", "grpc+unix", "http"])
def test_large_payloads_travel_both_ways(newest: Gateway, served: Served, scheme: str) -> None:
    newest.open(served.endpoints[scheme], PROBE)
    text = "x" * 900_000
    for size in (1, 3_000_000):
        assert newest.tool("echo", {"text": text})["modified_payload"]["args"] == {"text": text}
        answer = newest.tool("large", {"size": size})
        assert len(answer["modified_payload"]["args"]["text"]) == size
    calls = [{"name": "large", "args": {"size": 400_000}} for _ in range(20)]
    answers = newest.ask("burst", name=PROBE, calls=calls, in_flight=20)
    assert {len(answer["modified_payload"]["args"]["text"]) for answer in answers} == {400_000}


def test_entries_with_equal_settings_share_their_connections(newest: Gateway, served: Served) -> None:
    endpoint = served.endpoints["unix"]
    newest.open(endpoint)
    newest.open(endpoint, PROBE)
    newest.search("hello")
    assert newest.tool("echo", {"n": 1})["modified_payload"]["args"] == {"n": 1}
    assert f'plugin_connector_connects_total{{endpoint="{endpoint}"}} 1.0' in newest.ask("metrics")
    newest.ask("close")
    assert f'plugin_connector_up{{endpoint="{endpoint}"}} 0.0' in newest.ask("metrics")


@pytest.mark.parametrize("scheme", ["unix", "grpc"])
def test_several_connections_share_the_calls(newest: Gateway, served: Served, scheme: str) -> None:
    newest.open(served.endpoints[scheme], PROBE, connections=3)
    calls = [{"name": "sleep", "args": {"n": number, "seconds": 0.01}} for number in range(60)]
    answers = newest.ask("burst", name=PROBE, calls=calls, in_flight=10)
    assert [answer["modified_payload"]["args"]["n"] for answer in answers] == list(range(60))


def test_an_entry_may_have_another_name_than_the_plugin(newest: Gateway, served: Served) -> None:
    newest.open(served.endpoints["unix"], "Front door", plugin="WordGuard")
    assert newest.search("classified", "Front door")["violation"]["code"] == "FORBIDDEN_WORD"


def test_a_plugin_that_the_server_lacks_is_an_error(newest: Gateway, served: Served) -> None:
    newest.open(served.endpoints["unix"], "Nobody")
    assert newest.search("hello", "Nobody")["error"]["code"] == "UNKNOWN_PLUGIN"
    assert newest.said("ERROR plugin Nobody: the server at")
