"""Reaching every worker of a server."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from tests.support.processes import children
from tests.support.serving import Served
from tests.support.transport_clients import TransportClient, connect_client

MOST = 200


def reach_all(served: Served, scheme: str, pb: Any, held: ExitStack) -> list[TransportClient]:
    """Connect until every worker has a connection; the kernel chooses one for each.

    Args:
        served: a server with workers.
        scheme: the endpoint.
        pb: the messages of the contract.
        held: closes the connections.
    """
    missing = set(children(served.process.pid))
    lines: list[TransportClient] = []
    while missing:
        assert len(lines) < MOST, f"of {MOST} connections none came to {missing}"
        lines.append(held.enter_context(connect_client(served, scheme, pb)))
        missing.discard(lines[-1].process())
    return lines
