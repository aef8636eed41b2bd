"""Several plugins in one server, and one that cannot start beside those that can."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, config_file, run, serve

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
WAYS = ["http", "grpc", "grpc+unix", "unix"]


def write_config(path: Path, rendered: RenderedPlugin, broken: dict[str, Any]) -> Path:
    """Two plugins of the rendered class that mask other words, and one that cannot start."""
    own = yaml.safe_load(config_file(rendered).read_text())["plugins"][0]
    first = {**own, "name": "First", "config": {**own["config"], "redact": ["alpha"], "mask": "1"}}
    second = {**own, "name": "Second", "config": {**own["config"], "redact": ["beta"], "mask": "2"}}
    entries = [first, {"name": "Broken", "version": "3.0", "hooks": ["tool_pre_invoke"], **broken}, second]
    path.write_text(yaml.safe_dump({"plugins": entries}))
    return path


@pytest.fixture(scope="module")
def config(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    return write_config(folder / "config.yaml", rendered, {"kind": "no_such_module.Broken", "on_startup_error": "skip"})


@pytest.fixture(scope="module")
def served(rendered: RenderedPlugin, config: Path) -> Iterator[Served]:
    with serve(rendered, "http,grpc,unix", "--config", str(config)) as server:
        yield server


def call(rendered: RenderedPlugin, served: Served, config: Path, way: str, plugin: str) -> Any:
    payload = json.dumps({"name": "search", "args": {"query": "alpha beta"}})
    options = ["--endpoint", served.endpoints[way], "--config", str(config), "--plugin", plugin, "--json"]
    return json.loads(run(rendered, "call", "tool_pre_invoke", payload, *options).stdout)


def health(served: Served, service: str) -> int:
    with grpc.insecure_channel(served.endpoints["grpc"].partition("://")[2]) as channel:
        # Old and new type stubs call the stub's class differently.
        stub: Any = health_pb2_grpc.HealthStub(channel)
        return int(stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status)


def get(served: Served, path: str) -> str:
    address = served.endpoints["http"].removesuffix("/mcp")
    with urllib.request.urlopen(f"{address}{path}", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.parametrize("way", WAYS)
def test_each_plugin_does_its_own_work(rendered: RenderedPlugin, served: Served, config: Path, way: str) -> None:
    changed = [call(rendered, served, config, way, name)["result"]["modified_payload"] for name in ("First", "SECOND")]
    assert [payload["args"]["query"] for payload in changed] == ["1 beta", "alpha 2"]


@pytest.mark.parametrize("way", WAYS)
def test_a_skipped_plugin_answers_with_an_error(
    rendered: RenderedPlugin, served: Served, config: Path, way: str
) -> None:
    reply = call(rendered, served, config, way, "Broken")
    assert reply["error"]["code"] == "PLUGIN_UNAVAILABLE"
    assert "no_such_module" not in reply["error"]["message"]


def test_health_metrics_and_log_tell_of_the_skipped_plugin(served: Served) -> None:
    states = {name: health(served, name) for name in ("", "First", "Second", "Broken")}
    assert states == {"": SERVING, "First": SERVING, "Second": SERVING, "Broken": NOT_SERVING}
    assert json.loads(get(served, "/ready"))["status"] == "ready"
    serving = {
        sample.labels["plugin"]: sample.value
        for family in text_string_to_metric_families(get(served, "/metrics"))
        for sample in family.samples
        if sample.name == "plugin_serving"
    }
    assert serving == {"First": 1, "Second": 1, "Broken": 0}
    told = [line for line in served.log if "plugin 'Broken': cannot import no_such_module" in line]
    assert len(told) == 1
    assert "on_startup_error: skip" in told[0]


def test_without_the_word_it_stops_the_start(rendered: RenderedPlugin, tmp_path: Path) -> None:
    path = write_config(tmp_path / "config.yaml", rendered, {"kind": "no_such_module.Broken"})
    done = run(rendered, "serve", "--config", str(path), "--port", "0")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "error: plugin 'Broken': cannot import no_such_module: ModuleNotFoundError" in done.stderr


def test_a_server_without_any_plugin_that_starts_stops(rendered: RenderedPlugin, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    entry = {"name": "Broken", "kind": "no_such_module.Broken", "on_startup_error": "skip"}
    path.write_text(yaml.safe_dump({"plugins": [entry]}))
    done = run(rendered, "serve", "--config", str(path), "--port", "0")
    assert done.returncode == 2
    assert "every plugin of the configuration file is disabled or failed to start" in done.stderr
