"""Two workers against one: calls per second of the same plugin, by the same load generator.

Server and generator share the machine's cores: on two of them, what the generator takes is lost to two workers. With 16
calls in flight it wakes for nearly each answer, and takes a third of a small call's time. With those of IN_FLIGHT it
finds many answers whenever it wakes, and takes a sixth or less.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from .bench import Bench
from .calls import first_answer
from .cost import WARM_UP
from .load import InFlight, generator
from .process import running

COUNTS = ("1", "2")
SIZES = ("small", "10 kB")
IN_FLIGHT = InFlight(64, 4)


def measure(
    bench: Bench, transports: Iterable[str], sizes: Sequence[str], rounds: int, seconds: float
) -> dict[str, dict[str, dict[str, float]]]:
    """Measure one worker and two in turns.

    Args:
        bench: what is measured.
        transports: their names.
        sizes: the inputs' sizes.
        rounds: runs of each.
        seconds: how long a run lasts.

    Returns:
        The medians of calls per second, by transport, size and number of workers.
    """
    return {transport: _measure(bench, transport, sizes, rounds, seconds) for transport in transports}


def _measure(
    bench: Bench, transport: str, sizes: Sequence[str], rounds: int, seconds: float
) -> dict[str, dict[str, float]]:
    drive = generator(transport)
    runs: dict[str, dict[str, list[float]]] = {size: {count: [] for count in COUNTS} for size in sizes}
    with ExitStack() as stack:
        addresses = {}
        for count in COUNTS:
            call = bench.inputs[sizes[0]]
            subject = bench.workers(transport, count)
            first_answer(subject, stack.enter_context(running(subject)), call)
            addresses[count] = subject.address
            # Until every worker is there and has seen calls.
            drive(subject.address, call, 2 * WARM_UP, IN_FLIGHT)
        for size, counts in runs.items():
            for _ in range(rounds):
                for count, address in addresses.items():
                    load = drive(address, bench.inputs[size], seconds, IN_FLIGHT)
                    counts[count].append(load.calls / load.seconds)
    return {size: {count: statistics.median(rates) for count, rates in counts.items()} for size, counts in runs.items()}
