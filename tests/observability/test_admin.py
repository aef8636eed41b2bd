"""The admin listener: health and metrics for every transport, on a port of their own."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from generator import __version__
from tests.support.gates import Gate
from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, command, environ, run, serve
from tests.support.transport_clients import connect_client
from tests.support.waiting import wait_until

from .scraping import get, scrape

SLOW = """
import os

from {package}.runtime import Plugin, ToolPreInvokeResult


class Slow(Plugin):
    async def initialize(self):
        # In a thread: the server's event loop goes on while the test holds the other end of the pipe.
        import asyncio
        await asyncio.to_thread(lambda: open(os.environ["PIPE"]).close())

    async def tool_pre_invoke(self, payload, context):
        return ToolPreInvokeResult()
"""


def test_the_pages(rendered: RenderedPlugin, config: str) -> None:
    with serve(rendered, "unix", "--config", config, PLUGINS_ADMIN_PORT="0") as served:
        admin = served.endpoints["admin"]
        assert admin.startswith("http://127.0.0.1:")
        assert get(f"{admin}/health") == (200, "application/json", f'{{"status":"alive","runtime":"{__version__}"}}')
        assert get(f"{admin}/ready") == (200, "application/json", '{"status":"ready"}')
        assert get(f"{admin}/ready?plugin=probe")[0] == 200
        assert get(f"{admin}/ready?plugin=nobody") == (404, "application/json", '{"status":"unknown plugin"}')
        for path in ("/metrics", "/metrics/prometheus"):
            assert {sample.name for sample in scrape(admin + path)} >= {"plugin_build_info", "plugin_serving"}
        status, _, text = get(f"{admin}/mcp")
        assert (status, text) == (404, '{"error":"not found: there are /health, /ready and /metrics"}')


def test_other_methods_are_refused(rendered: RenderedPlugin, config: str) -> None:
    with serve(rendered, "unix", "--config", config, PLUGINS_ADMIN_PORT="0") as served:
        parts = urlsplit(served.endpoints["admin"])
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        for path in ("/health", "/ready", "/metrics"):
            connection.request("POST", path, body=b"x")
            answer = connection.getresponse()
            assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
            assert answer.read() == b'{"error":"%b takes GET"}' % path.encode()
            connection.request("HEAD", path)
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"")
        connection.close()


def test_web_pages_cannot_read_it(rendered: RenderedPlugin, config: str) -> None:
    with serve(rendered, "unix", "--config", config, PLUGINS_ADMIN_PORT="0") as served:
        page = served.endpoints["admin"] + "/metrics"
        status, _, text = get(page, Host="evil.example")
        assert status == 421
        assert "PLUGINS_ADMIN_HOST" in text
        assert get(page, Origin="http://evil.example")[0] == 403
        assert get(page, Host="localhost")[0] == 200


def test_it_is_off_unless_asked_for(rendered: RenderedPlugin, config: str) -> None:
    with serve(rendered, "unix", "--config", config) as served:
        assert not any("admin" in line for line in served.log)


def test_a_port_in_use_is_said(rendered: RenderedPlugin, config: str, short_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        place = ("--transport", "unix", "--socket", str(short_path / "u.sock"))
        done = run(rendered, "serve", "--config", config, *place, PLUGINS_ADMIN_PORT=port)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        f"error: 127.0.0.1:{port}: the port is in use; stop the other server or choose another port with "
        "PLUGINS_ADMIN_PORT"
    )


@pytest.mark.parametrize("port", ["x", "70000"])
def test_a_wrong_port_is_said(rendered: RenderedPlugin, config: str, port: str) -> None:
    done = run(rendered, "serve", "--config", config, "--transport", "unix", PLUGINS_ADMIN_PORT=port)
    assert done.returncode == 2
    assert f"PLUGINS_ADMIN_PORT: '{port}'" in done.stderr


def test_it_is_alive_before_the_plugins_are(rendered: RenderedPlugin, tmp_path: Path, short_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW.format(package=rendered.package))
    plugins = [{"name": "Slow", "kind": "slow.Slow", "hooks": ["tool_pre_invoke"]}]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"plugin_dirs": ["."], "plugins": plugins}))
    os.mkfifo(tmp_path / "pipe")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    admin = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        command(rendered, "serve", "--config", str(tmp_path / "config.yaml"), "--transport", "unix",
                "--socket", str(short_path / "u.sock")),
        env=environ(rendered, PLUGINS_ADMIN_PORT=str(port), PIPE=str(tmp_path / "pipe")),
        cwd=rendered.root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None

        def alive() -> bool:
            try:
                return get(f"{admin}/health")[0] == 200
            except OSError:
                return False

        wait_until(alive)
        assert get(f"{admin}/ready")[0] == 503
        assert get(f"{admin}/ready?plugin=Slow")[0] == 503
        with open(tmp_path / "pipe", "w"):
            assert process.stdout.readline() == "READY\n"
        assert get(f"{admin}/ready?plugin=Slow")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_LIMIT) == 0


def test_it_is_not_ready_while_calls_are_finished(rendered: RenderedPlugin, config: str, pb: Any, folder: Path) -> None:
    options = ("--config", config, "--grace", "20")
    with (
        serve(rendered, "unix", *options, PLUGINS_ADMIN_PORT="0") as served,
        connect_client(served, "unix", pb) as line,
    ):
        gate = Gate(folder)
        (call,) = gate.hold([line], 1)
        admin = served.endpoints["admin"]
        served.process.send_signal(signal.SIGTERM)
        wait_until(lambda: get(f"{admin}/ready")[0] == 503)
        assert get(f"{admin}/health")[0] == 200
        assert "plugin_calls_in_flight" in get(f"{admin}/metrics")[2]
        gate.open()
        assert call().args["n"] == 0
        assert served.process.wait(START_LIMIT) == 0
