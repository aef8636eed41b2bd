"""Run a rendered plugin's server in another process."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from plugsmith_runtime.plugin_server.readiness import READY_FD_ENV, ServerReady

from .rendering import RenderedPlugin

START_LIMIT = 30.0


@dataclass(kw_only=True)
class RunningServer:
    """A running server, in whatever process.

    Attributes:
        endpoints: where it answers, by scheme ("http", "grpc", "grpc+unix", "unix", ...), and "admin".
        log: the lines that it logged so far.
    """

    endpoints: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)


@dataclass
class Served(RunningServer):
    """A server in a process of its own.

    Attributes:
        process: its process; the log is what it wrote to standard error.
    """

    process: subprocess.Popen[str]
    reader: threading.Thread | None = None


def command(plugin: RenderedPlugin, *arguments: str) -> list[str]:
    """The command line of a rendered plugin."""
    return [str(plugin.python), "-m", plugin.package, *arguments]


def environ(plugin: RenderedPlugin, **extra: str) -> dict[str, str]:
    """The test's environment without any plugin setting, with the package importable."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PLUGINS_", "UNIX_SOCKET_"))}
    return clean | plugin.environ | extra


def run(plugin: RenderedPlugin, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command of a rendered plugin to its end."""
    return subprocess.run(
        command(plugin, *arguments), cwd=plugin.root, env=environ(plugin, **extra), capture_output=True, text=True,
        timeout=START_LIMIT, check=False,
    )  # fmt: skip


@contextmanager
def serve(
    plugin: RenderedPlugin, transports: str, *options: str, subcommand: str = "serve", **extra: str
) -> Iterator[Served]:
    """Serve a rendered plugin on free ports and sockets of its own; ends it at the end.

    Args:
        plugin: the plugin.
        transports: transports, separated by commas; with "stdio" alone, standard input and output are pipes.
        options: further options of `serve`; they win over the free ports and sockets. With TLS, gRPC takes no socket:
            give "--grpc-uds", "".
        subcommand: the command that serves: "serve" or "dev".
        extra: environment variables.
    """
    with tempfile.TemporaryDirectory(prefix="ps-") as folder:
        streams = subprocess.PIPE if transports == "stdio" else subprocess.DEVNULL
        reading, writing = os.pipe()
        process = subprocess.Popen(
            command(plugin, subcommand, "--transport", transports, *listening(folder), *options),
            cwd=plugin.root, env=environ(plugin, **{READY_FD_ENV: str(writing)}, **extra), text=True,
            stdin=streams, stdout=streams, stderr=subprocess.PIPE, pass_fds=[writing],
        )  # fmt: skip
        os.close(writing)
        served = Served(process)
        served.reader = threading.Thread(target=_pump, args=(served,), daemon=True)
        served.reader.start()
        try:
            served.endpoints = _ready_endpoints(served, reading)
            yield served
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(START_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            finally:
                _close_streams(served)


def serve_one(
    plugin: RenderedPlugin, scheme: str, folder: Path, *options: str, **extra: str
) -> AbstractContextManager[Served]:
    """Serve a rendered plugin so that a scheme is among its endpoints.

    Args:
        plugin: the plugin.
        scheme: "http", "http+unix", "grpc", "grpc+unix", "unix" or "stdio".
        folder: where the Unix socket of HTTP goes.
        options: further options of `serve`.
        extra: environment variables.
    """
    place = ("--uds", str(folder / "h.sock")) if scheme == "http+unix" else ()
    return serve(plugin, scheme.partition("+")[0], *place, *options, **extra)


def listening(folder: str) -> list[str]:
    """Options of `serve` that let a server listen on free ports, and on sockets in a folder."""
    return ["--port", "0", "--grpc-port", "0", "--grpc-uds", f"{folder}/g.sock", "--socket", f"{folder}/u.sock"]


def by_scheme(ready: ServerReady) -> dict[str, str]:
    """The endpoints of a server by their schemes; "admin" for the admin listener."""
    return {
        transport if transport == "admin" else endpoint.partition(":")[0]: endpoint
        for transport, endpoints in ready.endpoints.items()
        if transport != "stdio"
        for endpoint in endpoints
    }


def config_file(plugin: RenderedPlugin) -> Path:
    """The configuration file of a rendered plugin."""
    return plugin.root / "resources" / "plugins" / "config.yaml"


def _ready_endpoints(served: Served, descriptor: int) -> dict[str, str]:
    """What the server tells when it is ready, by scheme; "admin" for the admin listener."""
    with open(descriptor, "rb", buffering=0) as pipe:
        ready, _, _ = select.select([pipe], [], [], START_LIMIT)
        line = pipe.readline() if ready else b""
    if not line.endswith(b"\n"):
        served.process.kill()
        served.process.wait()
        assert served.reader is not None
        served.reader.join(START_LIMIT)
        raise RuntimeError("the server did not start:\n" + "".join(served.log))
    return by_scheme(ServerReady.from_message(json.loads(line)))


def _pump(served: Served) -> None:
    assert served.process.stderr is not None
    for line in served.process.stderr:
        served.log.append(line)


def _close_streams(served: Served) -> None:
    for stream in (served.process.stdin, served.process.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()
    if served.reader is not None:
        served.reader.join(START_LIMIT)
    if served.process.stderr is not None:
        served.process.stderr.close()
