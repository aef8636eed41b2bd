"""Server CPU time per call, throughput and latency, as medians of interleaved runs."""

from __future__ import annotations

import statistics
import subprocess
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields

from .bench import Bench
from .calls import first_answer
from .inputs import Input
from .load import Load, generator, percentiles
from .process import cpu_seconds, running
from .subjects import SUBJECTS, Subject

WARM_UP = 1.0
# A generator drops what is in flight at its end, which is much when a call takes a tenth of a second: such calls are
# made one after the other, this many in a run.
SERIAL = {"1 MB": 10}


@dataclass(frozen=True)
class Cost:
    """What calls of one input cost one subject.

    Attributes:
        cpu: microseconds of the server's CPU, user and system, for a call.
        calls: calls measured.
        throughput: calls per second.
        p50: median latency in milliseconds.
        p99: latency in milliseconds that 99 percent of the calls kept.
    """

    cpu: float
    calls: float
    throughput: float
    p50: float
    p99: float


def measure(bench: Bench, transport: str, size: str, rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """Measure the subjects of a transport in turns: ours, the peer, the floor, ours, ...

    Args:
        bench: what is measured.
        transport: "http", "grpc" or "unix".
        size: the input's size.
        rounds: runs of each subject.
        seconds: how long a run lasts.

    Returns:
        The median of each of Cost's figures, by subject.
    """
    call = bench.inputs[size]
    with ExitStack() as stack:
        subjects = [bench.subject(name, transport) for name in SUBJECTS]
        servers = [(subject, stack.enter_context(running(subject))) for subject in subjects]
        for subject, process in servers:
            first_answer(subject, process, call)
            _drive(subject, process, call, WARM_UP)
        runs: dict[str, list[Cost]] = {name: [] for name in SUBJECTS}
        for _ in range(rounds):
            for subject, process in servers:
                before = cpu_seconds(process.pid)
                load = _drive(subject, process, call, seconds)
                cpu = (cpu_seconds(process.pid) - before) / load.calls * 1e6
                runs[subject.name].append(Cost(cpu, load.calls, load.calls / load.seconds, load.p50, load.p99))
    return {name: asdict(_median(costs)) for name, costs in runs.items()}


def _drive(subject: Subject, process: subprocess.Popen[bytes], call: Input, seconds: float) -> Load:
    if count := SERIAL.get(call.size):
        took = first_answer(subject, process, call, count)
        return Load(count, sum(took), *percentiles([second * 1e3 for second in took]))
    return generator(subject.transport)(subject.address, call, seconds)


def _median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(cost, field.name) for cost in costs) for field in fields(Cost)))
