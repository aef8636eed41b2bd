"""A worker dies: its calls in flight are lost, nothing else is, and another one takes its place."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.gates import Gate
from tests.support.logs import logged
from tests.support.processes import children
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve_one
from tests.support.transport_clients import ConnectionLostError, TransportClient, connect_client
from tests.support.waiting import wait_until

from .reaching import reach_all

SCHEMES = ["http", "http+unix", "grpc", "grpc+unix", "unix"]
CALLERS = 20


class Caller:
    """Calls without a pause, and connects again after a failure as gateways do."""

    def __init__(self, served: Served, scheme: str, pb: Any) -> None:
        self.answered = 0
        self.failed = 0
        self.process = 0
        self._place = served, scheme, pb
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        """Stop calling."""
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        line: TransportClient | None = None
        while not self._done.is_set():
            try:
                line = line or connect_client(*self._place)
                self.process = line.process()
                self.answered += 1
            except ConnectionLostError:
                self.failed += 1
                if line:
                    line.close()
                line = None
        if line:
            line.close()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_worker_killed_under_load_is_replaced(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, held: ExitStack, scheme: str
) -> None:
    with serve_one(rendered, scheme, short_path, "--config", str(config), "--workers", "2") as served, held:
        callers = [Caller(served, scheme, pb) for _ in range(CALLERS)]
        for caller in callers:
            held.callback(caller.end)
        wait_until(lambda: all(caller.answered > 10 for caller in callers))
        victim = callers[0].process
        on_it = sum(caller.process == victim for caller in callers)
        workers = children(served.process.pid)
        os.kill(victim, signal.SIGKILL)
        assert logged(served, f"process {victim} was ended by SIGKILL; it is started again in 0.1 s")
        wait_until(lambda: len(set(children(served.process.pid)) - {victim}) == 2)
        before = [caller.answered for caller in callers]
        wait_until(lambda: all(caller.answered > count + 10 for caller, count in zip(callers, before, strict=True)))
        assert sum(caller.failed for caller in callers) <= on_it
        # The new worker answers too, once the kernel gives it a connection.
        assert not set(children(served.process.pid)) <= set(workers)
        reach_all(served, scheme, pb, held)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_calls_of_the_other_worker_are_answered(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, held: ExitStack, scheme: str
) -> None:
    gate = Gate(short_path)
    with serve_one(rendered, scheme, short_path, "--config", str(config), "--workers", "2") as served, held:
        lines = reach_all(served, scheme, pb, held)
        processes = [line.process() for line in lines]
        calls = gate.hold(lines, len(lines))
        os.kill(processes[0], signal.SIGKILL)
        assert logged(served, "was ended by SIGKILL")
        gate.open()
        for call, process in zip(calls, processes, strict=True):
            if process == processes[0]:
                with pytest.raises(ConnectionLostError):
                    call()
            else:
                assert call().error is None


def test_a_worker_that_cannot_start_again_is_tried_again(
    rendered: RenderedPlugin, pb: Any, short_path: Path, held: ExitStack
) -> None:
    broken = short_path / "broken"
    (short_path / "moody.py").write_text(
        f"import os\nfrom {rendered.package}.runtime import Plugin, ToolPreInvokeResult\n"
        f"if os.path.exists({str(broken)!r}): raise OSError('the model is gone')\n"
        "class Moody(Plugin):\n"
        "    async def tool_pre_invoke(self, payload, context):\n"
        "        args = {'process': os.getpid()}\n"
        "        return ToolPreInvokeResult(modified_payload=payload.model_copy(update={'args': args}))\n"
    )
    config = short_path / "config.yaml"
    config.write_text(yaml.safe_dump({"plugins": [{"name": "Probe", "kind": "moody.Moody"}], "plugin_dirs": ["."]}))
    with serve_one(rendered, "unix", short_path, "--config", str(config), "--workers", "2") as served, held:
        broken.touch()
        victim, other = children(served.process.pid)
        os.kill(victim, signal.SIGKILL)
        assert logged(served, "worker 1: process")
        for seconds in ("0.2", "0.4", "0.8"):
            assert logged(served, f"ended with exit code 2; it is started again in {seconds} s")
        assert logged(served, "cannot import moody: OSError: the model is gone")
        with connect_client(served, "unix", pb) as line:
            assert line.process() == other
        broken.unlink()
        wait_until(lambda: len(reachable(served, pb)) == 2)


def reachable(served: Served, pb: Any) -> set[int]:
    """The processes that answer a few connections."""
    with ExitStack() as stack:
        lines = [stack.enter_context(connect_client(served, "unix", pb)) for _ in range(50)]
        return {line.process() for line in lines}


def test_a_worker_that_is_told_to_stop_is_replaced(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, held: ExitStack
) -> None:
    gate = Gate(short_path)
    options = ("--config", str(config), "--workers", "2", "--grace", "20")
    with serve_one(rendered, "http", short_path, *options) as served, held:
        lines = reach_all(served, "http", pb, held)
        processes = [line.process() for line in lines]
        calls = gate.hold(lines, len(lines))
        os.kill(processes[0], signal.SIGTERM)
        assert logged(served, "SIGTERM: stopping")
        gate.open()
        assert all(call().error is None for call in calls)
        assert logged(served, f"process {processes[0]} ended with exit code 0; it is started again in 0.1 s")
        wait_until(lambda: len(set(children(served.process.pid)) - {processes[0]}) == 2)
