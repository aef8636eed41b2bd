"""grpc.health.v1 and the peers' own Health: the server, its services and its plugins, and how they change."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import environment
from tests.support.faulty_plugin import write_config
from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, Served, config_file, serve
from tests.support.transport_clients import connect_client

HERE = Path(__file__).parent
LIMIT = 30.0
SCHEMES = ["grpc", "grpc+unix"]
SERVICES = [
    "cpex.PluginService",
    "mcpgateway.plugins.PluginService",
    "cpex.Health",
    "mcpgateway.plugins.Health",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
]
NAMES = ["", *SERVICES, "WordGuard", "probe", "nobody"]


@pytest.fixture(scope="module")
def config(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_config(tmp_path_factory.mktemp("health"), rendered)


def target(served: Served, scheme: str = "grpc") -> str:
    place = served.endpoints[scheme].partition("://")[2]
    return f"unix:{place}" if scheme == "grpc+unix" else place


def standard(rendered: RenderedPlugin, served: Served, scheme: str = "grpc") -> Any:
    """What the standard's stub is told about each name."""
    command = [str(rendered.python), str(HERE / "standard_script.py"), target(served, scheme), "check", *NAMES]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT).stdout)


def peers(served: Served, scheme: str = "grpc") -> Any:
    """What the peers' Health tells about each name, by package."""
    python = environment("cpex", ["cpex[grpc]==0.1.4"])
    command = [str(python), str(HERE / "peer_script.py"), target(served, scheme), *NAMES]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT).stdout)


class Watcher:
    """The watches of several names in a process of their own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._pump)
        self._reader.start()

    def said(self, count: int) -> list[str]:
        """The next changes, in any order."""
        return sorted(self._lines.get(timeout=LIMIT) for _ in range(count))

    def end(self) -> int:
        """Wait for the end of the process."""
        code = self._process.wait(LIMIT)
        self._reader.join(LIMIT)
        return code

    def _pump(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._process.stdout.close()


@contextmanager
def watching(rendered: RenderedPlugin, served: Served, *names: str) -> Iterator[Watcher]:
    command = [str(rendered.python), str(HERE / "standard_script.py"), target(served), "watch", *names]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watcher = Watcher(process)
    try:
        yield watcher
    finally:
        process.kill()
        watcher.end()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_names(rendered: RenderedPlugin, config: Path, scheme: str) -> None:
    with serve(rendered, "grpc", "--config", str(config)) as served:
        expected = dict.fromkeys(NAMES, "SERVING")
        assert peers(served, scheme) == dict.fromkeys(
            ("cpex", "mcpgateway.plugins"), expected | {"nobody": "SERVICE_UNKNOWN"}
        )
        unknown = "NOT_FOUND: this server has no service or plugin 'nobody'"
        assert standard(rendered, served, scheme) == expected | {"nobody": unknown}


def test_a_plugin_that_reports_itself_unhealthy(rendered: RenderedPlugin, config: Path, pb: Any) -> None:
    with (
        serve(rendered, "grpc", "--config", str(config)) as served,
        watching(rendered, served, "", "Probe", "WordGuard", "nobody") as watcher,
        connect_client(served, "grpc", pb) as line,
    ):
        assert watcher.said(4) == [" SERVING", "Probe SERVING", "WordGuard SERVING", "nobody SERVICE_UNKNOWN"]
        line.call("fall_ill")
        # The other plugin can do its work, so the server is ready.
        assert watcher.said(1) == ["Probe NOT_SERVING"]
        told = standard(rendered, served)
        assert {name for name in NAMES if told[name] == "NOT_SERVING"} == {"probe"}
        for states in peers(served).values():
            assert {name for name in NAMES if states[name] == "NOT_SERVING"} == {"probe"}
        line.call("recover")
        assert watcher.said(1) == ["Probe SERVING"]


def test_the_last_plugin_that_falls_ill_takes_the_server_with_it(
    rendered: RenderedPlugin, config: Path, pb: Any, tmp_path: Path
) -> None:
    alone = tmp_path / "config.yaml"
    text = config.read_text().replace(f"name: {own_name(rendered)}", f"name: {own_name(rendered)}\n  mode: disabled")
    alone.write_text(text)
    with (
        serve(rendered, "grpc", "--config", str(alone)) as served,
        watching(rendered, served, "", "Probe", "cpex.PluginService") as watcher,
        connect_client(served, "grpc", pb) as line,
    ):
        assert watcher.said(3) == [" SERVING", "Probe SERVING", "cpex.PluginService SERVING"]
        line.call("fall_ill")
        assert watcher.said(3) == [" NOT_SERVING", "Probe NOT_SERVING", "cpex.PluginService NOT_SERVING"]
        line.call("recover")
        assert watcher.said(3) == [" SERVING", "Probe SERVING", "cpex.PluginService SERVING"]


def test_a_server_that_stops_tells_and_ends_the_watches(rendered: RenderedPlugin, config: Path) -> None:
    with (
        serve(rendered, "grpc", "--config", str(config), "--grace", "20") as served,
        watching(rendered, served, "", "Probe", "nobody") as watcher,
    ):
        assert watcher.said(3) == [" SERVING", "Probe SERVING", "nobody SERVICE_UNKNOWN"]
        served.process.send_signal(signal.SIGTERM)
        ends = [" NOT_SERVING", " ended", "Probe NOT_SERVING", "Probe ended", "nobody ended"]
        assert watcher.said(len(ends)) == ends
        assert watcher.end() == 0
        # Watches, which never end by themselves, do not hold the server for its whole grace.
        assert served.process.wait(START_LIMIT / 3) == 0


def own_name(rendered: RenderedPlugin) -> str:
    """The name of the rendered plugin itself."""
    line = next(line for line in config_file(rendered).read_text().splitlines() if "name:" in line)
    return line.partition("name:")[2].strip()
