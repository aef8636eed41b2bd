"""Starting and stopping: what a supervisor relies on."""

from __future__ import annotations

import dataclasses
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from plugsmith_runtime import __version__

from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, command, environ, run, serve


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_exit_code_0(rendered: RenderedPlugin, number: signal.Signals) -> None:
    with serve(rendered, "http,grpc,unix") as served:
        served.process.send_signal(number)
        assert served.process.wait(START_LIMIT) == 0


def test_all_transports_in_one_process(rendered: RenderedPlugin) -> None:
    with serve(rendered, "http,grpc,unix") as served:
        assert set(served.endpoints) == {"http", "grpc", "grpc+unix", "unix"}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_people_get_a_line_for_each_endpoint_and_programs_their_words(
    rendered: RenderedPlugin, short_path: Path, workers: str
) -> None:
    sockets = ["--grpc-uds", f"{short_path}/g.sock", "--socket", f"{short_path}/u.sock"]
    places = ["--port", "0", "--grpc-port", "0", *sockets]
    process = subprocess.Popen(
        [*command(rendered, "serve", "--transport", "http,grpc,unix", "--workers", workers), *places],
        cwd=rendered.root, env=environ(rendered, PLUGINS_ADMIN_PORT="0"), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    with process.stdout as output, process.stderr as log:
        words = [output.readline(), output.readline()]
        process.terminate()
        rest, lines = output.read(), log.read().splitlines()
    assert process.wait(START_LIMIT) == 0
    names = ["admin on http", *(f"serving WordGuard on {scheme}" for scheme in ("http", "grpc", "grpc+unix", "unix"))]
    told = [line for line in lines if line.startswith(("admin on ", "serving "))]
    assert [line.partition("://")[0] for line in told] == names
    assert words == [f"PORT={told[1].rpartition(':')[2].removesuffix('/mcp')}\n", "READY\n"]
    assert rest == ""


def test_a_program_that_asks_gets_json_in_place_of_lines(rendered: RenderedPlugin) -> None:
    with serve(rendered, "http,unix", PLUGINS_ADMIN_PORT="0") as served:
        assert set(served.endpoints) == {"admin", "http", "unix"}
    assert not [line for line in served.log if line.startswith(("admin on ", "serving "))]


_PLACES = {"http": ["--port", "0"], "grpc": ["--grpc-port", "0", "--grpc-uds", ""], "unix": ["--socket", "u.sock"]}
# What takes time at start or memory afterwards, and nobody has asked for.
_UNNEEDED = {
    "http": ["google.protobuf", "grpc", ".tls.context", ".host.docker"],
    "grpc": [
        "google.protobuf.text_format", "grpc", "grpc_health", "httptools", "orjson", ".tls.context", ".host.docker",
    ],
    "unix": [
        "google.protobuf.text_format", "grpc", "httptools", "orjson", ".tls.context", ".host.docker",
        ".unix_stream.v2_server",
    ],
}  # fmt: skip


@pytest.mark.parametrize("transport", list(_PLACES))
def test_a_transport_loads_only_what_it_needs(rendered: RenderedPlugin, transport: str) -> None:
    runtime = f"{rendered.package}.runtime"
    unneeded = {f"{runtime}{name}" if name.startswith(".") else name for name in _UNNEEDED[transport]}
    script = (
        "import asyncio, sys\n"
        f"import {rendered.package}\n"
        f"from {runtime}.plugin_server import server\n"
        f"from {runtime}.commands import main\n"
        "async def look(self):\n"
        f"    found = {unneeded} & set(sys.modules)\n"
        f"    print('LOADED', sorted(found), '{runtime}.plugin_server.{transport}' in sys.modules)\n"
        "server.Server._wait = look\n"
        f"sys.exit(main(sys.argv[1:], package={rendered.package!r}))\n"
    )
    done = subprocess.run(
        [str(rendered.python), "-c", script, "serve", "--transport", transport, *_PLACES[transport]],
        cwd=rendered.root,
        env=rendered.environ,
        capture_output=True,
        text=True,
        timeout=START_LIMIT,
        check=False,
    )
    assert "LOADED [] True" in done.stdout + done.stderr, done.stdout + done.stderr
    assert transport != "unix" or done.stdout.startswith("READY\n")
    assert done.returncode == 0


@pytest.mark.parametrize("package", ["grpc_health", "grpc_reflection"])
def test_a_missing_package_is_named_at_the_start(rendered: RenderedPlugin, package: str) -> None:
    hidden = f"import sys; sys.modules[{package!r}] = None; from {rendered.package}.runtime.commands import main; "
    words = ["serve", "--transport", "grpc", "--grpc-port", "0"]
    done = subprocess.run(
        [str(rendered.python), "-c", hidden + f"sys.exit(main({words}, package={rendered.package!r}))"],
        cwd=rendered.root,
        env=rendered.environ,
        capture_output=True,
        text=True,
        timeout=START_LIMIT,
        check=False,
    )
    assert done.returncode != 0
    assert f"transport 'grpc' needs the package {package}; install the extra 'grpc'" in done.stderr


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
    for name in ("serve", "call", "demo", "gateway-config", "certs"):
        assert name in done.stdout


def test_the_version_names_the_package_and_the_runtime(rendered: RenderedPlugin) -> None:
    done = run(rendered, "--version")
    assert done.stdout == f"{rendered.package} (not installed), plugsmith-runtime {__version__}\n"


def test_without_the_tools_it_serves_and_tells_its_health(rendered: RenderedPlugin, tmp_path: Path) -> None:
    shutil.copytree(rendered.root, tmp_path / "image", ignore=shutil.ignore_patterns("tools", "__pycache__"))
    image = dataclasses.replace(rendered, root=tmp_path / "image")
    text = run(image, "--help").stdout
    assert [line.split()[0] for line in text.partition("COMMAND\n")[2].split("\n\n")[0].splitlines()] == [
        "serve",
        "health",
    ]
    assert "invalid choice: 'demo'" in run(image, "demo").stderr
    with serve(image, "http,grpc,unix") as served:
        for scheme, endpoint in served.endpoints.items():
            assert run(image, "health", "--endpoint", endpoint.removesuffix("/mcp")).returncode == 0, scheme
