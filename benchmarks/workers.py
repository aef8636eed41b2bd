"""Two workers against one: calls per second of the same plugin, by the same load generator.

Server and generator share the machine's cores. On two of them two workers cannot be twice as fast: what the generator
takes is lost to them.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack

from .bench import Bench
from .calls import first_answer
from .cost import WARM_UP
from .load import generator
from .process import running

TRANSPORTS = ("http", "grpc", "unix")
COUNTS = ("1", "2")


def measure(bench: Bench, rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """Measure one worker and two in turns.

    Args:
        bench: what is measured.
        rounds: runs of each.
        seconds: how long a run lasts.

    Returns:
        The medians of calls per second, by transport and number of workers.
    """
    return {transport: _measure(bench, transport, rounds, seconds) for transport in TRANSPORTS}


def _measure(bench: Bench, transport: str, rounds: int, seconds: float) -> dict[str, float]:
    call = bench.inputs["small"]
    runs: dict[str, list[float]] = {count: [] for count in COUNTS}
    with ExitStack() as stack:
        addresses = {}
        for count in COUNTS:
            subject = bench.workers(transport, count)
            first_answer(subject, stack.enter_context(running(subject)), call)
            addresses[count] = subject.address
            # Until every worker is there and has seen calls.
            generator(transport)(subject.address, call, 2 * WARM_UP)
        for _ in range(rounds):
            for count, address in addresses.items():
                load = generator(transport)(address, call, seconds)
                runs[count].append(load.calls / load.seconds)
    return {count: statistics.median(found) for count, found in runs.items()}
