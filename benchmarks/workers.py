"""Two workers against one: calls per second of the same plugin, by the same load generator.

Server and generator share the machine's cores: on two of them, what the generator takes is lost to two workers. Of a
small call's time wrk and h2load take more than a fourth; with 10 kB they are as light as a generator should be here,
and the target is held against those.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from .bench import Bench
from .calls import first_answer
from .cost import WARM_UP
from .load import generator
from .process import running

COUNTS = ("1", "2")
SIZES = ("small", "10 kB")
LIGHT = "10 kB"


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
    return {
        transport: {size: _measure(bench, transport, size, rounds, seconds) for size in sizes}
        for transport in transports
    }


def _measure(bench: Bench, transport: str, size: str, rounds: int, seconds: float) -> dict[str, float]:
    call = bench.inputs[size]
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
