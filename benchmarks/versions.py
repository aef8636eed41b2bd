"""Both versions of the Unix protocol in one run: calls per second, 16 in flight, by the same raw client.

Version 1 needs a connection for each call in flight; version 2 carries them over one.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack

from .bench import Bench
from .calls import first_answer
from .cost import WARM_UP
from .inputs import Input
from .load import InFlight, Load
from .load.unix import drive_version
from .process import cpu_seconds, running
from .subjects import OURS, PEER, Subject

IN_FLIGHT = 16
# (server, version of the protocol)
ROWS = ((OURS, 2), (OURS, 1), (PEER, 1))


def measure(bench: Bench, rounds: int, seconds: float) -> dict[str, dict[str, dict[str, float]]]:
    """Measure the rows in turns.

    Args:
        bench: what is measured.
        rounds: runs of each row.
        seconds: how long a run lasts.

    Returns:
        The medians of calls per second and of microseconds of the server's CPU for a call, by server and version.
    """
    call = bench.inputs["small"]
    with ExitStack() as stack:
        servers = {}
        for name in (OURS, PEER):
            subject = bench.subject(name, "unix")
            process = stack.enter_context(running(subject))
            first_answer(subject, process, call)
            servers[name] = subject, process
        for name, version in ROWS:
            _drive(servers[name][0], version, call, WARM_UP)
        runs: dict[tuple[str, int], list[tuple[float, float]]] = {row: [] for row in ROWS}
        for _ in range(rounds):
            for name, version in ROWS:
                subject, process = servers[name]
                before = cpu_seconds(process.pid)
                load = _drive(subject, version, call, seconds)
                cpu = (cpu_seconds(process.pid) - before) / load.calls * 1e6
                runs[name, version].append((load.calls / load.seconds, cpu))
    found: dict[str, dict[str, dict[str, float]]] = {OURS: {}, PEER: {}}
    for (name, version), measured in runs.items():
        throughput, cpu = (statistics.median(column) for column in zip(*measured, strict=True))
        found[name][str(version)] = {"throughput": throughput, "cpu": cpu}
    return found


def _drive(subject: Subject, version: int, call: Input, seconds: float) -> Load:
    if version == 1:
        return drive_version(1, subject.address, call.message, seconds, InFlight(IN_FLIGHT, 1))
    return drive_version(2, subject.address, call.stream_message, seconds, InFlight(1, IN_FLIGHT))
