"""Calls per second with the gateway's own clients (cpex), one call and 16 calls in flight."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from contextlib import ExitStack
from typing import Any

from tests.gateway.ways import SETTINGS
from tests.support.rendering import ROOT

from .bench import NAME, Bench
from .calls import first_answer
from .inputs import QUERY
from .process import running
from .subjects import OURS, PEER, TRANSPORTS, Subject

IN_FLIGHT = (1, 16)


def measure(bench: Bench, rounds: int, seconds: float) -> dict[str, dict[str, dict[str, float]]]:
    """Drive ours and the peer in turns.

    Returns:
        Calls per second, medians, by transport, subject and calls in flight ("1", "16").
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    for transport in TRANSPORTS:
        with ExitStack() as stack:
            subjects = [bench.subject(name, transport) for name in (OURS, PEER)]
            for subject in subjects:
                first_answer(subject, stack.enter_context(running(subject)), bench.inputs["small"])
            runs = [{subject.name: _drive(bench, subject, seconds) for subject in subjects} for _ in range(rounds)]
        found[transport] = {
            subject.name: {
                str(count): statistics.median(run[subject.name][str(count)] for run in runs) for count in IN_FLIGHT
            }
            for subject in subjects
        }
    return found


def _drive(bench: Bench, subject: Subject, seconds: float) -> dict[str, float]:
    blocks: dict[str, dict[str, Any]] = {
        "http": {"mcp": {"proto": "STREAMABLEHTTP", "url": f"http://127.0.0.1:{subject.address}/mcp"}},
        "grpc": {"grpc": {"target": f"127.0.0.1:{subject.address}"}},
        "unix": {"unix_socket": {"path": subject.address}},
    }
    job = {"block": blocks[subject.transport], "name": NAME, "query": QUERY, "counts": IN_FLIGHT, "seconds": seconds}
    done = subprocess.run(
        [bench.peer.python, "-m", "benchmarks.gateway_driver", json.dumps(job)], cwd=bench.folder,
        env=os.environ | SETTINGS | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the gateway's client failed on {subject.name}, {subject.transport}: {done.stderr[-2000:]}")
    rates: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return rates
