"""Start, memory and size: what a server costs before and beside its calls."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .bench import Bench
from .calls import first_answer
from .process import resident_megabytes, running, site_packages
from .subjects import OURS, PEER, TRANSPORTS, Subject

CALLS = 1_000
START_TRANSPORTS = (*TRANSPORTS, "stdio")
ALL = "all"


def start(bench: Bench, rounds: int) -> dict[str, dict[str, float]]:
    """Seconds from exec to the first answered call, by transport and subject; medians of interleaved starts."""
    call = bench.inputs["small"]
    seconds: dict[str, dict[str, float]] = {}
    for transport in START_TRANSPORTS:
        found: dict[str, list[float]] = {OURS: [], PEER: []}
        for _ in range(rounds):
            for name, starts in found.items():
                subject = bench.subject(name, transport)
                before = time.perf_counter()
                with running(subject) as process:
                    first_answer(subject, process, call)
                    starts.append(time.perf_counter() - before)
        seconds[transport] = {name: statistics.median(starts) for name, starts in found.items()}
    return seconds


def memory(bench: Bench) -> dict[str, dict[str, float]]:
    """Resident megabytes after 1,000 small calls, by transport and subject.

    The row "all" is one process of ours with all transports after 1,000 calls on each.
    """
    servers = [(transport, name, [bench.subject(name, transport)]) for transport in TRANSPORTS for name in (OURS, PEER)]
    servers.append((ALL, OURS, bench.ours_at_once()))
    # Two at a time: here nothing depends on the clock.
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda server: _memory(bench, server[2]), servers)
        megabytes: dict[str, dict[str, float]] = {transport: {} for transport, _, _ in servers}
        for (transport, name, _), size in zip(servers, found, strict=True):
            megabytes[transport][name] = size
    return megabytes


def installed(bench: Bench) -> dict[str, dict[str, float]]:
    """Packages, and megabytes of their files, in the environment of each subject that serves all transports."""
    return {OURS: _installed(bench.plugin.python), PEER: _installed(bench.peer.python)}


def _memory(bench: Bench, subjects: list[Subject]) -> float:
    with running(subjects[0]) as process:
        for subject in subjects:
            first_answer(subject, process, bench.inputs["small"], CALLS)
        return resident_megabytes(process.pid)


def _installed(python: Path) -> dict[str, float]:
    folder = site_packages(python)
    # Byte code is made at run time, as far as modules were imported: it would favour who was not run.
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    named = {path.name.partition("-")[0].lower() for path in folder.glob("*.dist-info")}
    size = sum(path.stat().st_size for path in files)
    return {"packages": len(named - {"pip", "setuptools"}), "megabytes": size / 1e6}
