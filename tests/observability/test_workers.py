"""Metrics of several workers: whichever is asked tells for all, and what a dead one counted is not lost."""

from __future__ import annotations

import json
import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from tests.production.reaching import reach_all
from tests.support.gates import Gate
from tests.support.processes import children
from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, serve
from tests.support.transport_clients import connect_client
from tests.support.waiting import wait_until

from .scraping import Metrics, scrape

COUNTING = """
from prometheus_client import Counter

from {package}.runtime import Plugin, ToolPreInvokeResult

WORDS = Counter("words_seen", "Words that were seen.", ["word"])


class Counting(Plugin):
    async def tool_pre_invoke(self, payload, context):
        WORDS.labels(payload.name).inc()
        return ToolPreInvokeResult()
"""

DONE = ("Probe", "tool_pre_invoke", "modified")


def test_all_workers_count_as_one(
    rendered: RenderedPlugin, config: str, pb: Any, folder: Path, short_path: Path
) -> None:
    options = ("--config", config, "--workers", "2")
    # The supervisor keeps the workers' numbers in a folder of its own.
    environ = {"PLUGINS_ADMIN_PORT": "0", "TMPDIR": str(short_path), "PLUGINS_LOG_FORMAT": "json"}
    with serve(rendered, "unix", *options, **environ) as served, ExitStack() as held:
        lines = reach_all(served, "unix", pb, held)
        gate = Gate(folder)
        calls = gate.hold(lines, len(lines))
        # A worker tells the others once a second how many calls it runs and how many connections it has.
        wait_until(lambda: Metrics(served).value("plugin_calls_in_flight", plugin="Probe") == len(lines))
        wait_until(lambda: Metrics(served).value("plugin_connections", transport="unix") == len(lines))
        gate.open()
        for call in calls:
            call()
        # One call of each line asked for the process; the other one was held.
        total = 2 * len(lines)
        wait_until(lambda: Metrics(served).calls("unix") == {DONE: total})
        # As a worker does that has begun a file and not written to it yet.
        begun = next(short_path.rglob("counter_*.db")).parent / "counter_77.db"
        begun.touch()
        # Both workers are asked, and say the same.
        assert all(Metrics(served).calls("unix") == {DONE: total} for _ in range(20))
        begun.unlink()
        wait_until(lambda: Metrics(served).value("plugin_calls_in_flight", plugin="Probe") == 0)

        workers = children(served.process.pid)
        victim = workers[0]
        answered = []

        def asked() -> int:
            with connect_client(served, "unix", pb) as line:
                answered.append(line.process())
            return answered[-1]

        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in children(served.process.pid))
        wait_until(lambda: any("is started again" in line for line in served.log))
        held.close()
        wait_until(lambda: len(children(served.process.pid)) == 2)
        assert Metrics(served).calls("unix") == {DONE: total}
        # The dead one's connections are not counted any more, and the new one counts on.
        wait_until(lambda: Metrics(served).value("plugin_connections", transport="unix") == 0)
        (replaced,) = (worker for worker in children(served.process.pid) if worker not in workers)
        wait_until(lambda: asked() == replaced)
        wait_until(lambda: Metrics(served).calls("unix") == {DONE: total + len(answered)})
        (shared,) = short_path.glob("plugins-metrics-*")
        assert shared.stat().st_mode & 0o077 == 0
        assert {path.stem.rpartition("_")[2] for path in shared.iterdir()} == {"1", "2"}
        held.close()
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(START_LIMIT) == 0
    assert not list(short_path.glob("plugins-metrics-*"))
    # The supervisor and its workers write one log.
    assert all(json.loads(line)["message"] for line in served.log)


def test_a_plugin_that_is_unhealthy_in_one_worker_shows(
    rendered: RenderedPlugin, config: str, pb: Any, short_path: Path
) -> None:
    options = ("--config", config, "--workers", "2")
    environ = {"PLUGINS_ADMIN_PORT": "0", "TMPDIR": str(short_path)}
    with serve(rendered, "unix", *options, **environ) as served, ExitStack() as held:
        line = reach_all(served, "unix", pb, held)[-1]
        wait_until(lambda: Metrics(served).value("plugin_serving", plugin="Probe") == 1)
        line.call("fall_ill")
        wait_until(lambda: Metrics(served).value("plugin_serving", plugin="Probe") == 0)
        assert Metrics(served).value("plugin_serving", plugin="WordGuard") == 1
        line.call("recover")
        wait_until(lambda: Metrics(served).value("plugin_serving", plugin="Probe") == 1)


def test_what_plugins_count_themselves_is_shown_too(
    rendered: RenderedPlugin, pb: Any, tmp_path: Path, short_path: Path
) -> None:
    (tmp_path / "counting.py").write_text(COUNTING.format(package=rendered.package))
    plugins = [{"name": "Probe", "kind": "counting.Counting", "hooks": ["tool_pre_invoke"]}]
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"plugin_dirs": ["."], "plugins": plugins}))
    for workers in ("1", "2"):
        options = ("--config", str(config), "--workers", workers)
        with serve(rendered, "unix", *options, PLUGINS_ADMIN_PORT="0", TMPDIR=str(short_path)) as served:
            for _ in range(10):
                with connect_client(served, "unix", pb) as line:
                    line.call("echo")
            page = served.endpoints["admin"] + "/metrics"
            (own,) = (sample for sample in scrape(page) if sample.name == "words_seen_total")
            assert (own.labels, own.value) == ({"word": "echo"}, 10)
