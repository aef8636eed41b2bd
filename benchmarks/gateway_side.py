"""The gateway's side of hook calls: our connector against cpex's own client, with our server at the other end."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from tests.gateway.clients import SETTINGS
from tests.support.environments import environment
from tests.support.rendering import ROOT

from .bench import NAME, Bench
from .calls import first_answer
from .end_to_end import IN_FLIGHT, client_block
from .inputs import QUERY
from .peer import REQUIREMENTS
from .process import running
from .subjects import OURS, TRANSPORTS, Subject

CONNECTOR, PEER = "connector", "peer"

Figures = dict[str, dict[str, dict[str, float]]]


def measure(bench: Bench, counts: Sequence[int], rounds: int, seconds: float) -> dict[str, Figures]:
    """Drive one server with both clients in turns, from one process on uvloop, as gateways run.

    Args:
        bench: what is measured.
        counts: calls in flight.
        rounds: runs of each client.
        seconds: how long a run lasts.

    Returns:
        Medians by transport, client ("connector", "peer") and calls in flight ("1", "16"): "rate", the calls per
        second, and "cpu", microseconds of the gateway's CPU for a call.
    """
    found: dict[str, Figures] = {}
    for transport in TRANSPORTS:
        with ExitStack() as stack:
            subject = bench.subject(OURS, transport)
            first_answer(subject, stack.enter_context(running(subject)), bench.inputs["small"])
            runs = _drive(bench, subject, counts, rounds, seconds)
        found[transport] = {
            client: {
                str(count): {
                    figure: statistics.median(run[client][str(count)][figure] for run in runs)
                    for figure in ("rate", "cpu")
                }
                for count in counts
            }
            for client in (CONNECTOR, PEER)
        }
    return found


def _drive(bench: Bench, subject: Subject, counts: Sequence[int], rounds: int, seconds: float) -> list[Figures]:
    job = {
        "block": client_block(subject), "endpoint": _endpoint(subject), "package": bench.plugin.package, "name": NAME,
        "query": QUERY, "counts": counts, "rounds": rounds, "seconds": seconds,
    }  # fmt: skip
    path = os.pathsep.join([str(ROOT), bench.plugin.environ["PYTHONPATH"]])
    done = subprocess.run(
        [environment("connector", [*REQUIREMENTS, "uvloop"]), "-m", "benchmarks.connector_driver", json.dumps(job)],
        cwd=bench.folder, env=os.environ | SETTINGS | {"PYTHONPATH": path}, capture_output=True, text=True,
        timeout=240, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the clients failed on {subject.transport}: {done.stderr[-2000:]}")
    runs: list[Figures] = json.loads(done.stdout.splitlines()[-1])
    return runs


def _endpoint(subject: Subject) -> str:
    if subject.transport == "unix":
        return f"unix://{subject.address}"
    return f"{subject.transport}://127.0.0.1:{subject.address}{'/mcp' if subject.transport == 'http' else ''}"


def rows(results: dict[str, Any]) -> list[list[str]]:
    """The table's rows: transport, client, then calls per second and CPU for each count in flight."""
    names = {CONNECTOR: "our connector", PEER: "cpex 0.1.4's client"}
    return [
        [transport, names[client], *(
            text for count in IN_FLIGHT
            for text in (f"{row[str(count)]['rate']:,.0f}", f"{row[str(count)]['cpu']:.0f}")
        )]
        for transport, clients in results.items() for client, row in clients.items()
    ]  # fmt: skip
