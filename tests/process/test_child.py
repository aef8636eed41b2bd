"""Child processes: readiness by each rule, early ends, time limits, stops and kills, restarts."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from plugsmith_runtime.errors import StartError
from plugsmith_runtime.process.backoff import Backoff, keep_running
from plugsmith_runtime.process.child import ChildExitedError, ChildProcess
from plugsmith_runtime.process.readiness import Readiness, ReadyLine, ReadyPipe

from tests.support.processes import running
from tests.support.waiting import wait_until

ENV = "CHILD_READY_FD"
LIMIT = 30.0
TELL = (
    "import os, signal, sys, time\n"
    "from plugsmith_runtime.process.readiness import ReadyNotifier\n"
    f"ready = ReadyNotifier.from_environ({ENV!r})\n"
    f"assert ready and {ENV!r} not in os.environ\n"
)
HANDLER = "import signal, sys, time\nsignal.signal(signal.SIGTERM, {handler})\nprint('up', flush=True)\ntime.sleep(600)"


def child(script: str, readiness: Readiness | None = None) -> Coroutine[Any, Any, ChildProcess]:
    environ = {"PYTHONPATH": ":".join(sys.path)}
    return ChildProcess.start([sys.executable, "-c", script], environ=environ, readiness=readiness, stderr=DEVNULL)


async def told(script: str, readiness: Readiness) -> object:
    """What a child says when it is ready."""
    process = await child(script, readiness)
    try:
        return await process.wait_ready(LIMIT)
    finally:
        await process.stop(0)


def test_one_json_line_on_a_pipe() -> None:
    script = TELL + "ready.send({'endpoints': {'http': ['http://x:1']}})\ntime.sleep(600)"
    assert asyncio.run(told(script, ReadyPipe(ENV))) == {"endpoints": {"http": ["http://x:1"]}}


@pytest.mark.parametrize(
    ("line", "pattern", "group"), [("PORT=81", r"PORT=(\d+)", "81"), ("READY", "(READY)", "READY")]
)
def test_a_line_on_standard_output(line: str, pattern: str, group: str) -> None:
    others: list[str] = []
    script = f"print('hello PORT=1'); print({line!r}, flush=True); print('x' * 200_000); print('end', flush=True)"

    async def main() -> None:
        process = await child(script, ReadyLine(pattern, others.append))
        found = await process.wait_ready(LIMIT)
        assert found[1] == group
        # All of its output is taken: it would stand still otherwise.
        await asyncio.wait_for(process.ended, LIMIT)
        assert process.exit_code == 0

    asyncio.run(main())
    assert others[0] == "hello PORT=1"


def test_without_a_rule_a_child_is_ready_at_once() -> None:
    async def main() -> int | None:
        process = await child("")
        await process.wait_ready(0)
        await process.ended
        return process.exit_code

    assert asyncio.run(main()) == 0


def test_what_is_said_just_before_the_end_counts() -> None:
    async def main() -> None:
        process = await child(TELL + "ready.send({'n': 1})\nos._exit(3)", ReadyPipe(ENV))
        await process.ended
        assert await process.wait_ready() == {"n": 1}
        assert process.exit_reason == "ended with exit code 3"

    asyncio.run(main())


@pytest.mark.parametrize("rule", [lambda: ReadyPipe(ENV), lambda: ReadyLine("READY")])
@pytest.mark.parametrize(
    ("end", "reason"),
    [("sys.exit(3)", "ended with exit code 3"), ("os.kill(os.getpid(), 9)", "was ended by SIGKILL")],
)
def test_a_child_that_ends_before_it_is_ready(rule: Callable[[], Readiness], end: str, reason: str) -> None:
    with pytest.raises(ChildExitedError, match=rf"^process \d+ {reason} before it was ready$"):
        asyncio.run(told(f"import os, sys\n{end}", rule()))


def test_a_child_that_is_not_ready_in_time_and_ignores_sigterm_is_killed() -> None:
    async def main() -> ChildProcess:
        script = HANDLER.format(handler="signal.SIG_IGN")
        deaf = await child(script, ReadyLine("up"))
        await deaf.wait_ready(LIMIT)
        await deaf.stop(0.05)
        slow = await child("import time; time.sleep(600)", ReadyPipe(ENV))
        with pytest.raises(TimeoutError):
            await slow.wait_ready(0.05)
        slow.kill()
        await slow.ended
        return deaf

    assert asyncio.run(main()).exit_reason == "was ended by SIGKILL"


def test_a_stop_within_the_grace_period_is_clean() -> None:
    async def main() -> ChildProcess:
        script = HANDLER.format(handler="lambda *_: sys.exit(7)")
        process = await child(script, ReadyLine("up"))
        await process.wait_ready(LIMIT)
        await process.stop(LIMIT)
        process.terminate()
        process.kill()
        return process

    process = asyncio.run(main())
    assert process.exit_code == 7
    assert process.served_seconds > 0


def test_what_a_child_has_started_is_killed_with_it() -> None:
    async def main() -> int:
        script = (
            "import subprocess, sys, time\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
            "print(child.pid, flush=True)\ntime.sleep(600)"
        )
        process = await child(script, ReadyLine(r"(\d+)"))
        found = await process.wait_ready(LIMIT)
        assert running(int(found[1]))
        await process.stop(LIMIT)
        assert process.exit_reason == "was ended by SIGTERM"
        return int(found[1])

    grandchild = asyncio.run(main())
    wait_until(lambda: not running(grandchild))


def test_a_program_that_is_not_there_leaves_nothing_open(tmp_path: Path) -> None:
    async def main() -> None:
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(3):
            with pytest.raises(FileNotFoundError):
                await ChildProcess.start([str(tmp_path / "nothing")], readiness=ReadyPipe(ENV))
        assert len(list(Path("/proc/self/fd").iterdir())) <= before

    asyncio.run(main())


class _Restarts:
    """Keeps a child running that ends at once, or cannot be started."""

    def __init__(self, scripts: list[str | None]) -> None:
        self.scripts = scripts
        self.said: list[tuple[str, float]] = []
        self.dead: list[int] = []
        self.stopping = asyncio.Event()
        self.last: ChildProcess | None = None

    async def start(self) -> ChildProcess:
        script = self.scripts.pop(0)
        if script is None:
            raise StartError("no memory")
        self.last = await child(script)
        if not self.scripts:
            self.stopping.set()
            self.last.terminate()
        return self.last

    async def run(self, healthy: float) -> ChildProcess | None:
        first, backoff = await self.start(), Backoff(0.01, 0.04)
        return await keep_running(
            first, self.start, backoff, healthy, self.stopping, lambda *words: self.said.append(words),
            lambda dead: self.dead.append(dead.pid),
        )  # fmt: skip


def test_a_child_that_dies_is_started_again_later_and_later() -> None:
    async def main() -> _Restarts:
        restarts = _Restarts(["exit(1)", "exit(2)", None, "exit(3)", "import time; time.sleep(600)"])
        assert await restarts.run(healthy=600) is restarts.last
        assert restarts.last and restarts.last.exit_reason == "was ended by SIGTERM"
        return restarts

    restarts = asyncio.run(main())
    assert [delay for _, delay in restarts.said] == [0.01, 0.02, 0.04, 0.04]
    reasons = [reason.partition(" ended ")[2] or reason for reason, _ in restarts.said]
    assert reasons == ["with exit code 1", "with exit code 2", "no memory", "with exit code 3"]
    assert len(restarts.dead) == 3


def test_a_child_that_was_healthy_begins_the_backoff_anew() -> None:
    async def main() -> list[float]:
        restarts = _Restarts(["exit(1)", "exit(1)", "exit(1)", "import time; time.sleep(600)"])
        await restarts.run(healthy=0.0)
        return [delay for _, delay in restarts.said]

    assert asyncio.run(main()) == [0.01, 0.01, 0.01]


def test_a_stop_while_a_restart_is_due_ends_the_waiting() -> None:
    async def main() -> None:
        stopping = asyncio.Event()
        process = await child("exit(1)")

        def on_delay(reason: str, delay: float) -> None:
            asyncio.get_running_loop().call_soon(stopping.set)

        async def never() -> ChildProcess:
            raise AssertionError("it is not started again")

        assert await keep_running(process, never, Backoff(600, 600), 1, stopping, on_delay) is None

    asyncio.run(main())


def test_signals_have_names() -> None:
    async def main() -> str:
        process = await child("import time; time.sleep(600)")
        process.terminate()
        await process.ended
        return process.exit_reason

    assert asyncio.run(main()) == f"was ended by {signal.SIGTERM.name}"
