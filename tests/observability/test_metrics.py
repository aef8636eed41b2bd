"""Metrics: exact, the same on every transport, and readable by Prometheus' own parsers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from generator import __version__
from tests.support.gates import Gate
from tests.support.rendering import RenderedPlugin
from tests.support.serving import serve
from tests.support.transport_clients import TransportClient, connect_client
from tests.support.waiting import wait_until

from .scraping import OPENMETRICS, Metrics, get, scrape

TRANSPORTS = ["http", "grpc", "unix", "stdio"]


def serve_watched(plugin: RenderedPlugin, config: str, transports: str, *options: str, **extra: str) -> Any:
    """Serve the probe plugin with an admin listener."""
    return serve(plugin, transports, "--config", config, *options, PLUGINS_ADMIN_PORT="0", **extra)


def call_in_every_way(line: TransportClient) -> None:
    """Calls that end in each way that a single call can end."""
    for _ in range(3):
        assert line.call("echo", a=1).args == {"a": 1}
    assert line.call("violation").args is None
    assert line.call("crash").error == "HOOK_FAILED"
    assert line.call("deliberate").error == "UPSTREAM"
    assert line.call("sleep", seconds=60).error == "HOOK_TIMEOUT"


EXPECTED = {"modified": 3.0, "blocked": 1.0, "error": 2.0, "timeout": 1.0}


@pytest.fixture(scope="module", params=TRANSPORTS)
def observed(request: pytest.FixtureRequest, rendered: RenderedPlugin, config: str, pb: Any) -> Any:
    """A transport, and the metrics of a server on which calls were made over it."""
    transport: str = request.param
    with serve_watched(rendered, config, transport, "--hook-timeout", "0.5") as served:
        with connect_client(served, transport, pb) as line:
            call_in_every_way(line)
            metrics = Metrics(served)
        yield transport, metrics


def test_calls_are_counted_by_outcome(observed: tuple[str, Metrics]) -> None:
    transport, metrics = observed
    assert metrics.calls(transport) == {
        ("Probe", "tool_pre_invoke", outcome): count for outcome, count in EXPECTED.items()
    }


def test_durations_are_a_histogram_of_the_same_calls(observed: tuple[str, Metrics]) -> None:
    transport, metrics = observed
    of_calls = {"plugin": "Probe", "hook": "tool_pre_invoke", "transport": transport}
    total = sum(EXPECTED.values())
    assert metrics.value("plugin_call_duration_seconds_count", **of_calls) == total
    assert metrics.value("plugin_call_duration_seconds_bucket", le="+Inf", **of_calls) == total
    # Only the call that overran its half second took that long.
    assert metrics.value("plugin_call_duration_seconds_sum", **of_calls) >= 0.5
    counts = [sample.value for sample in metrics.find("plugin_call_duration_seconds_bucket", **of_calls)]
    assert counts == sorted(counts) and len(counts) == 16


def test_bytes_are_counted(observed: tuple[str, Metrics]) -> None:
    transport, metrics = observed
    of_calls = {"plugin": "Probe", "hook": "tool_pre_invoke", "transport": transport}
    assert metrics.value("plugin_request_bytes_total", **of_calls) > 7 * len("tool_pre_invoke")
    assert metrics.value("plugin_response_bytes_total", **of_calls) > 7 * len("Probe")


def test_what_is_true_of_the_server(observed: tuple[str, Metrics], rendered: RenderedPlugin) -> None:
    _, metrics = observed
    assert metrics.value("plugin_serving", plugin="Probe") == 1
    assert metrics.value("plugin_calls_in_flight", plugin="Probe") == 0
    (build,) = metrics.find("plugin_build_info")
    assert build.value == 1
    assert build.labels["package"] == rendered.package
    assert build.labels.keys() == {"package", "version", "runtime", "python", "contract"}
    assert build.labels["runtime"] == __version__


def test_names_and_labels_are_those_of_every_transport(rendered: RenderedPlugin, config: str, pb: Any) -> None:
    schemes = {"http": "http", "grpc": "grpc", "unix": "unix"}
    with serve_watched(rendered, config, "http,grpc,unix", "--hook-timeout", "0.5") as served:
        for scheme in schemes.values():
            with connect_client(served, scheme, pb) as line:
                call_in_every_way(line)
        metrics = Metrics(served)

    def shape(transport: str) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        return {
            (sample.name, frozenset(sample.labels.items() - {("transport", transport)}))
            for sample in metrics.samples
            if sample.labels.get("transport") == transport
        }

    assert shape("http") == shape("grpc") == shape("unix") != set()


def test_callers_cannot_invent_labels(rendered: RenderedPlugin, config: str, modules: Any) -> None:
    connect = modules("runtime.client").connect
    context = modules("runtime.client").new_context()

    async def call(endpoint: str) -> None:
        client = await connect(endpoint)
        for number in range(3):
            reply = await client.invoke("tool_pre_invoke", f"nobody-{number}", {"name": "echo"}, context)
            assert reply["error"]["code"] == "UNKNOWN_PLUGIN"
            reply = await client.invoke(f"hook-{number}", "Probe", {"name": "echo"}, context)
            assert reply["error"]["code"] == "UNKNOWN_HOOK"
        await client.close()

    with serve_watched(rendered, config, "unix") as served:
        asyncio.run(call(served.endpoints["unix"]))
        assert Metrics(served).calls("unix") == {
            ("unknown", "tool_pre_invoke", "error"): 3,
            ("Probe", "unknown", "error"): 3,
        }


def test_calls_in_flight_are_seen(rendered: RenderedPlugin, config: str, pb: Any, folder: Path) -> None:
    with serve_watched(rendered, config, "grpc") as served, connect_client(served, "grpc", pb) as line:
        gate = Gate(folder)
        calls = gate.hold([line], 5)
        metrics = Metrics(served)
        assert metrics.value("plugin_calls_in_flight", plugin="Probe") == 5
        assert metrics.calls("grpc") == {}
        gate.open()
        assert {call().args["n"] for call in calls} == set(range(5))
        metrics = Metrics(served)
        assert metrics.value("plugin_calls_in_flight", plugin="Probe") == 0
        assert metrics.calls("grpc") == {("Probe", "tool_pre_invoke", "modified"): 5}


def test_refused_calls_are_counted(rendered: RenderedPlugin, config: str, pb: Any, folder: Path) -> None:
    with (
        serve_watched(rendered, config, "unix", PLUGINS_MAX_CONCURRENT_HOOKS="1") as served,
        connect_client(served, "unix", pb) as busy,
        connect_client(served, "unix", pb) as line,
    ):
        gate = Gate(folder)
        (call,) = gate.hold([busy], 1)
        assert line.call("echo").error == "OVERLOADED"
        assert Metrics(served).calls("unix") == {("Probe", "tool_pre_invoke", "overloaded"): 1}
        gate.open()
        assert call().error is None


@pytest.mark.parametrize("scheme", ["http", "grpc", "unix"])
def test_connections_are_counted(rendered: RenderedPlugin, config: str, pb: Any, scheme: str) -> None:
    with serve_watched(rendered, config, scheme) as served:

        def connections() -> float:
            return Metrics(served).value("plugin_connections", transport=scheme)

        lines = [connect_client(served, scheme, pb) for _ in range(3)]
        for line in lines:
            line.call("echo")
        assert connections() == 3
        for line in lines:
            line.close()
        wait_until(lambda: connections() == 0)


def test_a_plugin_that_reports_itself_unhealthy(rendered: RenderedPlugin, config: str, pb: Any) -> None:
    with serve_watched(rendered, config, "unix") as served, connect_client(served, "unix", pb) as line:
        line.call("fall_ill")
        wait_until(lambda: Metrics(served).value("plugin_serving", plugin="Probe") == 0)
        assert Metrics(served).value("plugin_serving", plugin="WordGuard") == 1
        line.call("recover")
        wait_until(lambda: Metrics(served).value("plugin_serving", plugin="Probe") == 1)


def test_the_http_transport_shows_them_too(rendered: RenderedPlugin, config: str, pb: Any) -> None:
    with serve(rendered, "http", "--config", config) as served:
        with connect_client(served, "http", pb) as line:
            line.call("echo")
        base = served.endpoints["http"].removesuffix("/mcp")
        for path in ("/metrics", "/metrics/prometheus"):
            (sample,) = (item for item in scrape(base + path) if item.name == "plugin_calls_total")
            assert sample.value == 1
            assert sample.labels == {
                "plugin": "Probe", "hook": "tool_pre_invoke", "transport": "http", "outcome": "modified",
            }  # fmt: skip


def test_web_pages_cannot_read_them_over_http(rendered: RenderedPlugin, config: str) -> None:
    with serve(rendered, "http", "--config", config) as served:
        base = served.endpoints["http"].removesuffix("/mcp")
        for path in ("/metrics", "/metrics/prometheus"):
            assert get(base + path, Host="evil.example")[0] == 421
            assert get(base + path, Origin="http://evil.example")[0] == 403
            assert get(base + path, Host="localhost")[0] == 200


def test_both_formats_can_be_asked_for(rendered: RenderedPlugin, config: str) -> None:
    with serve_watched(rendered, config, "http") as served:
        page = served.endpoints["admin"] + "/metrics"
        assert get(page, Accept="text/plain")[1].startswith("text/plain; version=0.0.4")
        status, content_type, text = get(page, Accept=OPENMETRICS)
        assert (status, content_type.partition(";")[0]) == (200, "application/openmetrics-text")
        assert text.endswith("# EOF\n")
        in_text, in_openmetrics = ({sample.name for sample in scrape(page, accept)} for accept in ("", OPENMETRICS))
        assert in_text == in_openmetrics


def test_nothing_is_loaded_that_nobody_can_read(rendered: RenderedPlugin, config: str, pb: Any) -> None:
    verbose = serve(rendered, "unix,grpc", "--config", config, PYTHONVERBOSE="1")
    with verbose as served, connect_client(served, "unix", pb) as line:
        line.call("echo")
    assert any("pydantic" in line for line in served.log)
    assert not any(word in line for line in served.log for word in ("prometheus_client", "opentelemetry", "httptools"))
