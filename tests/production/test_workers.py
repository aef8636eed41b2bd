"""Several workers that serve as one: they share what they listen on, and stop together."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.gates import Gate
from tests.support.logs import logged
from tests.support.processes import children, running
from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, command, environ, run, serve_one
from tests.support.transport_clients import connect_client, is_multiplexed
from tests.support.waiting import wait_until

from .reaching import reach_all

SCHEMES = ["http", "http+unix", "grpc", "grpc+unix", "unix"]
CALLS = 200


@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_workers_answer_and_stop_together(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, held: ExitStack, scheme: str
) -> None:
    gate = Gate(short_path)
    options = ("--config", str(config), "--grace", "20", "--workers", "2")
    with serve_one(rendered, scheme, short_path, *options) as served, held:
        workers = children(served.process.pid)
        assert len(workers) == 2
        # Ctrl-C at a terminal goes to a whole process group; the supervisor alone must hear it.
        assert os.getpgid(served.process.pid) not in map(os.getpgid, workers)
        lines = reach_all(served, scheme, pb, held)
        while len(lines) < CALLS and not is_multiplexed(scheme):
            lines.append(held.enter_context(connect_client(served, scheme, pb)))
        calls = gate.hold(lines, CALLS)
        served.process.send_signal(signal.SIGTERM)
        wait_until(lambda: sum("SIGTERM: stopping" in line for line in served.log) == 2)
        gate.open()
        assert [call().args["n"] for call in calls] == list(range(CALLS))
        assert served.process.wait(START_LIMIT) == 0, served.log
        assert not any(map(running, workers))
    if scheme.endswith("unix"):
        assert not Path(served.endpoints[scheme].partition("://")[2]).exists()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_workers_end_without_their_supervisor(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, held: ExitStack, scheme: str
) -> None:
    gate = Gate(short_path)
    with serve_one(rendered, scheme, short_path, "--config", str(config), "--workers", "2") as served, held:
        workers = children(served.process.pid)
        lines = reach_all(served, scheme, pb, held)
        calls = gate.hold(lines, len(lines))
        served.process.kill()
        wait_until(lambda: sum("the supervisor of this worker is gone" in line for line in served.log) == 2)
        gate.open()
        assert [call().args["n"] for call in calls] == list(range(len(lines)))
        wait_until(lambda: not any(map(running, workers)))


def ended_after_another_signal(process: subprocess.Popen[str]) -> bool:
    process.send_signal(signal.SIGTERM)
    return process.poll() is not None


def test_a_second_signal_ends_all_at_once(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, held: ExitStack
) -> None:
    gate = Gate(short_path)
    options = ("--config", str(config), "--grace", "1000", "--workers", "2")
    with serve_one(rendered, "http", short_path, *options) as served, held:
        workers = children(served.process.pid)
        gate.hold([held.enter_context(connect_client(served, "http", pb))], 1)
        served.process.send_signal(signal.SIGTERM)
        assert logged(served, "SIGTERM: stopping")
        # What comes within a second of the first is taken for its echo.
        wait_until(lambda: ended_after_another_signal(served.process), pause=0.2)
        assert served.process.wait(START_LIMIT) == 128 + signal.SIGTERM
        assert not any(map(running, workers))


def test_the_supervisor_loads_no_transport_and_no_plugin(
    rendered: RenderedPlugin, config: Path, short_path: Path
) -> None:
    with serve_one(rendered, "grpc", short_path, "--config", str(config), "--workers", "2") as served:
        worker = children(served.process.pid)[0]
        assert "uvloop" in Path(f"/proc/{worker}/maps").read_text()
        libraries = Path(f"/proc/{served.process.pid}/maps").read_text()
        assert not any(name in libraries for name in ("cygrpc", "httptools", "uvloop", "_message.abi3"))


def test_ready_is_said_once(rendered: RenderedPlugin, short_path: Path) -> None:
    process = subprocess.Popen(
        command(rendered, "serve", "--transport", "unix", "--socket", f"{short_path}/u.sock", "--workers", "2"),
        cwd=rendered.root, env=environ(rendered), text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "READY\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=START_LIMIT)[0] == ""
    assert process.returncode == 0


def refused(rendered: RenderedPlugin, *options: str) -> str:
    """Serve with two workers, which must fail; the only line that is said."""
    done = run(rendered, "serve", "--workers", "2", *options)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_standard_input_cannot_be_shared(rendered: RenderedPlugin) -> None:
    assert "2 workers (--workers, PLUGINS_WORKERS) cannot share standard input" in refused(
        rendered, "--transport", "stdio"
    )


def test_what_is_wrong_for_all_workers_is_said_once(rendered: RenderedPlugin, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("plugins: [{name: A, kind: no_such_module.B}]")
    assert "plugin 'A': cannot import no_such_module" in refused(rendered, "--config", str(path), "--port", "0")


# tests/runtime has it for servers without workers.
@pytest.mark.parametrize(("scheme", "first"), [*((scheme, "2") for scheme in SCHEMES), ("http", "1"), ("unix", "1")])
def test_a_second_server_is_refused(
    rendered: RenderedPlugin, pb: Any, config: Path, short_path: Path, scheme: str, first: str
) -> None:
    options = {"http": "--port", "http+unix": "--uds", "grpc": "--grpc-port", "grpc+unix": "--grpc-uds"}
    with serve_one(rendered, scheme, short_path, "--config", str(config), "--workers", first) as served:
        place = served.endpoints[scheme].partition("://")[2].removesuffix("/mcp").removeprefix("127.0.0.1:")
        transport = scheme.partition("+")[0]
        text = refused(rendered, "--transport", transport, options.get(scheme, "--socket"), place)
        assert ("another server is listening there" if "unix" in scheme else "the port is in use") in text
        with connect_client(served, scheme, pb) as line:
            assert line.call("echo", n=1).args == {"n": 1}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_burst_of_connections_is_shared(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, scheme: str
) -> None:
    with serve_one(rendered, scheme, short_path, "--config", str(config), "--workers", "2") as served:

        def burst() -> list[int]:
            with ExitStack() as stack:
                lines = [stack.enter_context(connect_client(served, scheme, pb)) for _ in range(8)]
                return [line.process() for line in lines]

        # Not every time: a worker that gets no processor for a moment is not waited for.
        wait_until(lambda: sorted(Counter(burst()).values()) in ([3, 5], [4, 4]))


def test_a_worker_that_is_blocked_gets_no_new_connections(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, held: ExitStack
) -> None:
    pipe = short_path / "blocking"
    os.mkfifo(pipe)
    options = ("--config", str(config), "--workers", "2", "--grace", "0.1")
    with serve_one(rendered, "http", short_path, *options) as served, held:
        workers = children(served.process.pid)
        blocked = held.enter_context(connect_client(served, "http", pb))
        victim = blocked.process()
        blocked.send("block", {"seconds": 600, "pipe": str(pipe)})
        assert pipe.read_text() == "x"
        lines = [held.enter_context(connect_client(served, "http", pb)) for _ in range(20)]
        assert {line.process() for line in lines} == set(workers) - {victim}
        os.kill(victim, signal.SIGKILL)


@pytest.mark.full
def test_a_worker_that_is_blocked_is_killed_after_the_grace(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, held: ExitStack
) -> None:
    pipe = short_path / "blocking"
    os.mkfifo(pipe)
    options = ("--config", str(config), "--workers", "2", "--grace", "0.1")
    with serve_one(rendered, "http", short_path, *options) as served, held:
        workers = children(served.process.pid)
        blocked = held.enter_context(connect_client(served, "http", pb))
        blocked.send("block", {"seconds": 600, "pipe": str(pipe)})
        assert pipe.read_text() == "x"
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(START_LIMIT) == 1
        assert logged(served, "workers have not stopped 10 s after the grace; they are killed")
        assert not any(map(running, workers))
