"""Several connectors in one gateway: copies in several packages, and the one of plugsmith_runtime."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.rendering import ROOT, RenderedPlugin
from tests.support.serving import Served

from .conftest import NEWEST
from .gateways import PLUGIN, PROBE, Gateway, gateway

INSTALLED = "plugsmith_runtime.connector"


def add_copy(newest: Gateway, rendered: RenderedPlugin, folder: Path) -> str:
    """Add a second vendored copy to the gateway, as another plugin's wheel brings it; returns its connector."""
    shutil.copytree(rendered.root / "src" / rendered.package, folder / "other_guard")
    connector = "other_guard.runtime.connector"
    newest.ask("add_folder", folder=str(folder), connector=connector)
    return connector


def add_installed(newest: Gateway) -> str:
    """Add plugsmith-runtime to the gateway; returns its connector."""
    newest.ask("add_folder", folder=str(ROOT / "runtime"), connector=INSTALLED)
    return INSTALLED


@pytest.mark.parametrize("mode", ["vendored", "package"])
def test_all_copies_share_one_set_of_metrics(
    newest: Gateway, rendered: RenderedPlugin, served: Served, tmp_path: Path, mode: str
) -> None:
    other = add_copy(newest, rendered, tmp_path) if mode == "vendored" else add_installed(newest)
    unix, grpc = served.endpoints["unix"], served.endpoints["grpc"]
    newest.open(unix)
    newest.open(grpc, PROBE, connector=other)
    newest.search("hello")
    newest.tool("echo", {})
    metrics = newest.ask("metrics")
    for plugin, outcome in ((PLUGIN, "allowed"), (PROBE, "modified")):
        line = f'plugin_connector_calls_total{{hook="tool_pre_invoke",outcome="{outcome}",plugin="{plugin}"}} 1.0'
        assert line in metrics
    for endpoint in (unix, grpc):
        assert f'plugin_connector_up{{endpoint="{endpoint}"}} 1.0' in metrics
    for name in ("calls_total", "seconds", "up", "connects_total"):
        assert metrics.count(f"# TYPE plugin_connector_{name} ") == 1
    assert not newest.said("no metric")


def test_the_installed_connector_shares_connections_among_plugins(newest: Gateway, served: Served) -> None:
    connector, endpoint = add_installed(newest), served.endpoints["unix"]
    newest.open(endpoint, connector=connector)
    newest.open(endpoint, PROBE, connector=connector)
    newest.open(endpoint, "Deadline", connector=connector, plugin=PLUGIN, deadline=5.0)
    newest.search("hello")
    newest.tool("echo", {})
    # One connection for the two entries whose settings are equal, one for the third.
    assert f'plugin_connector_connects_total{{endpoint="{endpoint}"}} 2.0' in newest.ask("metrics")


def test_a_metric_of_the_gateway_with_the_same_name_is_left_alone(rendered: RenderedPlugin, served: Served) -> None:
    name = "plugin_connector_calls"
    with gateway(NEWEST, rendered) as side:
        side.ask("make_counter", name=name)
        side.open(served.endpoints["unix"])
        assert side.search("call tango now")["modified_payload"]["args"] == {"query": "call *** now"}
        assert side.said(f"WARNING no metric {name}: ")
        assert 'plugin_connector_seconds_count{hook="tool_pre_invoke",plugin="WordGuard"} 1.0' in side.ask("metrics")
