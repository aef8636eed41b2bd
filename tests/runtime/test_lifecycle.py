"""Starting and stopping: what a supervisor relies on."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, run, serve


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_exit_code_0(rendered: RenderedPlugin, number: signal.Signals) -> None:
    with serve(rendered, "http,grpc,unix") as served:
        served.process.send_signal(number)
        assert served.process.wait(START_LIMIT) == 0


def test_all_transports_in_one_process(rendered: RenderedPlugin) -> None:
    with serve(rendered, "http,grpc,unix") as served:
        assert set(served.endpoints) == {"http", "grpc", "grpc+unix", "unix"}


def test_the_unix_transport_loads_only_what_it_needs(rendered: RenderedPlugin) -> None:
    inner = [f"{rendered.package}.runtime.{name}" for name in ("providers", "tls", "transports.unix.stream")]
    unneeded = {"grpc", "uvicorn", "orjson", "google.protobuf.text_format", *inner}
    script = (
        "import asyncio, sys\n"
        f"import {rendered.package}\n"
        f"from {rendered.package}.runtime import server\n"
        f"from {rendered.package}.runtime.commands import main\n"
        "original = server.Server._wait\n"
        "async def look(self):\n"
        f"    found = {unneeded} & set(sys.modules)\n"
        "    print('LOADED', sorted(found), 'google.protobuf' in sys.modules)\n"
        "server.Server._wait = look\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [str(rendered.python), "-c", script, "serve", "--transport", "unix", "--socket", "u.sock"],
        cwd=rendered.root,
        env=rendered.environ,
        capture_output=True,
        text=True,
        timeout=START_LIMIT,
        check=False,
    )
    assert "LOADED [] True" in done.stdout, done.stderr
    assert done.stdout.startswith("READY\n")
    assert done.returncode == 0


def test_importing_the_package_loads_nothing(rendered: RenderedPlugin) -> None:
    script = (
        f"import sys; before = set(sys.modules); import {rendered.package}; print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [str(rendered.python), "-c", script], env=rendered.environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"['{rendered.package}']"


def test_help_names_the_commands(rendered: RenderedPlugin) -> None:
    done = run(rendered, "--help")
    assert done.returncode == 0
    for command in ("serve", "call", "demo", "gateway-config", "certs"):
        assert command in done.stdout
