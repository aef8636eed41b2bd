"""Calls per second with the gateway's own clients (cpex), one call and 16 calls in flight."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from tests.gateway.clients import SETTINGS
from tests.support.rendering import ROOT

from .bench import NAME, Bench
from .calls import first_answer
from .inputs import QUERY
from .process import running
from .subjects import OURS, PEER, TRANSPORTS, Subject

IN_FLIGHT = (1, 16)
MANY = 16

Rates = dict[str, dict[str, float]]


def measure(bench: Bench, counts: Sequence[int], rounds: int, seconds: float) -> dict[str, Rates]:
    """Drive ours and the peer in turns, with one client process for both.

    Args:
        bench: what is measured.
        counts: calls in flight.
        rounds: runs of each server, each with processes of its own: where the system lets a client and a server run is
            decided once for each pair, and moves the figures by a tenth.
        seconds: how long a run lasts.

    Returns:
        Calls per second, medians, by transport, subject and calls in flight ("1", "16").
    """
    found: dict[str, Rates] = {}
    for transport in TRANSPORTS:
        runs: list[Rates] = []
        for _ in range(rounds):
            with ExitStack() as stack:
                subjects = [bench.subject(name, transport) for name in (OURS, PEER)]
                servers = [(subject, stack.enter_context(running(subject))) for subject in subjects]
                for subject, process in servers:
                    first_answer(subject, process, bench.inputs["small"])
                runs.append(_drive(bench, subjects, counts, seconds))
        found[transport] = {
            name: {str(count): statistics.median(run[name][str(count)] for run in runs) for count in counts}
            for name in (OURS, PEER)
        }
    return found


def _drive(bench: Bench, subjects: list[Subject], counts: Sequence[int], seconds: float) -> Rates:
    blocks = {subject.name: client_block(subject) for subject in subjects}
    job = {"blocks": blocks, "name": NAME, "query": QUERY, "counts": counts, "seconds": seconds}
    done = subprocess.run(
        [bench.peer.python, "-m", "benchmarks.gateway_driver", json.dumps(job)], cwd=bench.folder,
        env=os.environ | SETTINGS | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the gateway's client failed on {subjects[0].transport}: {done.stderr[-2000:]}")
    rates: Rates = json.loads(done.stdout.splitlines()[-1])
    return rates


def client_block(subject: Subject) -> dict[str, Any]:
    """The part of an entry in the gateway's plugins file that tells its client the way."""
    if subject.transport == "http":
        return {"mcp": {"proto": "STREAMABLEHTTP", "url": f"http://127.0.0.1:{subject.address}/mcp"}}
    if subject.transport == "grpc":
        return {"grpc": {"target": f"127.0.0.1:{subject.address}"}}
    return {"unix_socket": {"path": subject.address}}
